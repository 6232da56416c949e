import type { Origin } from "../ir/origin.js";
import { BATCH, formatShape, type Shape } from "../ir/shape.js";
import type { TensorType } from "../ir/tensor-type.js";
import type { CallValues, Signature } from "../calls/signature.js";
import { formula } from "../layers/formula.js";
import { findLayer } from "../layers/index.js";
import { tryShape } from "../layers/infer.js";
import type { MadeBy } from "../layers/layer.js";
import { parameter } from "../layers/parameter.js";
import { losses, metrics } from "../layers/scores.js";
import { NOWHERE } from "./costs.js";
import { outputsOf, typeOf } from "./facts.js";
import type {
  Group,
  NetworkPort,
  NetworkValue,
  ResolvedLayer,
  ResolvedLoss,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/** What a score compares. */
export interface Compared {
  readonly prediction: NetworkValue;
  readonly target: NetworkValue;
}

/**
 * Makes a network without a text, layer by layer: what importers and tests use. Arguments that are
 * left out get their defaults, shapes follow from the layers' own rules, and the sections in names
 * become groups. Throws with the reason where a layer refuses its input.
 */
export class NetworkMaker {
  readonly inputs: NetworkPort[] = [];
  readonly targets: NetworkPort[] = [];
  readonly layers: ResolvedLayer[] = [];
  private readonly groups: Group[] = [];
  private readonly groupByName = new Map<string, number>();
  /** Of the first layer that has the weights. */
  private readonly kindByWeights = new Map<string, string>();
  private readonly losses: ResolvedLoss[] = [];
  private readonly metrics: ResolvedScore[] = [];
  private last: NetworkValue = { from: "input", index: 0 };

  constructor(private readonly name: string) {}

  /** @param sizes of one example, without the batch axis */
  input(name: string, sizes: Shape): NetworkValue {
    const type = { dtype: "f32", shape: [BATCH, ...sizes] } as const;
    return { from: "input", index: this.inputs.push({ name, type, origin: originOf(name) }) - 1 };
  }

  /** Tokens, integers in 0 .. vocabulary - 1. */
  tokens(name: string, sizes: Shape, vocabulary: number): NetworkValue {
    const type = { dtype: "u32", shape: [BATCH, ...sizes], vocabulary } as const;
    return { from: "input", index: this.inputs.push({ name, type, origin: originOf(name) }) - 1 };
  }

  /** A class for each example. */
  labels(name: string, classes?: number): NetworkValue {
    const type = { dtype: "u32", shape: [BATCH] } as const;
    return this.target({ name, type, classes });
  }

  /** Numbers of these sizes for each example. */
  numbers(name: string, sizes: Shape): NetworkValue {
    return this.target({ name, type: { dtype: "f32", shape: [BATCH, ...sizes] } });
  }

  private target(port: Omit<NetworkPort, "origin">): NetworkValue {
    const index = this.targets.push({ ...port, origin: originOf(port.name) }) - 1;
    return { from: "target", index };
  }

  /**
   * @param name the full name: `features.conv1`
   * @param kind the layer's name: `conv`
   * @param inputs the current value, then those that `add` and the like name
   * @param share what names of its weights start with, for layers that share them
   */
  layer(
    name: string,
    kind: string,
    inputs: readonly NetworkValue[],
    given: CallValues = {},
    share?: string,
  ): NetworkValue {
    // Chains cannot call these: they are not among the layers that are found by name.
    const definition = [parameter, formula].find((each) => each.name === kind) ?? findLayer(kind);
    if (!definition) throw new Error(`there is no layer \`${kind}\``);
    const values = withDefaults(definition, given);
    const type = this.infer(name, { definition, values }, inputs);
    const group = this.groupOf(name.split(".").slice(0, -1));
    const weights = this.weightsOf(name, definition, share);
    const layer = { name, definition, values, inputs, type, weights, origin: originOf(name) };
    const index = this.layers.push({ ...layer, group }) - 1;
    return (this.last = { from: "layer", index });
  }

  /** Adds a term to the sum that training minimizes. */
  loss(kind: string, of: Compared, given: CallValues = {}, factor = 1): void {
    this.losses.push({ score: scoreOf("loss", losses, kind, of, given), factor });
  }

  metric(name: string, kind: string, of: Compared, given: CallValues = {}): void {
    this.metrics.push(scoreOf(name, metrics, kind, of, given));
  }

  finish(): ResolvedNetwork {
    const { name, inputs, targets, layers, groups, losses: terms, metrics: scores } = this;
    const parts = { inputs, targets, layers, groups, losses: terms, metrics: scores };
    return { name, ...parts, outputs: outputsOf(parts, this.last) };
  }

  private infer(
    name: string,
    call: Pick<ResolvedLayer, "definition" | "values">,
    inputs: readonly NetworkValue[],
  ): TensorType {
    const [of, ...rest] = inputs.map((value) => typeOf(this, value));
    const [first, others] = [of?.shape, rest.map(({ shape }) => shape)];
    const tokens = [of, ...rest].find((type) => type?.vocabulary !== undefined);
    if (tokens && !call.definition.readsTokens) throw new Error(`\`${name}\` reads tokens`);
    const input: Shape | undefined = call.definition.readsNothing ? [BATCH] : first;
    if (!input) throw new Error(`\`${name}\` reads no value`);
    const makers = inputs.slice(1).map((value) => this.makerOf(value));
    const vocabulary = of?.vocabulary;
    const { output, problems } = tryShape({ ...call, others, makers, vocabulary }, input);
    if (output && problems.length === 0) return { dtype: "f32", shape: output };
    const [reason] = problems;
    throw new Error(`\`${name}\` of ${formatShape(input)}: ${reason?.message ?? "no output"}`);
  }

  private makerOf({ from, index }: NetworkValue): MadeBy | undefined {
    const layer = from === "layer" ? this.layers[index] : undefined;
    const read = layer?.inputs[0];
    if (!layer || !read) return undefined;
    const input = typeOf(this, read).shape;
    return { layer: layer.definition.name, values: layer.values, input };
  }

  /** Throws where layers of different kinds are to share weights. */
  private weightsOf(name: string, { name: kind }: Signature, share: string = name): string {
    const other = this.kindByWeights.get(share) ?? kind;
    this.kindByWeights.set(share, other);
    if (other === kind) return share;
    throw new Error(`\`${name}\` is a ${kind} and cannot share the weights of a ${other}`);
  }

  /** Index of the section of this path, which is made where it is new. */
  private groupOf(path: readonly string[]): number | undefined {
    if (path.length === 0) return undefined;
    const name = path.join(".");
    const known = this.groupByName.get(name);
    if (known !== undefined) return known;
    const parent = this.groupOf(path.slice(0, -1));
    const section = { name, label: path.at(-1)!, kind: "section", span: NOWHERE } as const;
    const index = this.groups.push({ ...section, parent }) - 1;
    this.groupByName.set(name, index);
    return index;
  }
}

const originOf = (name: string): Origin => ({ name, span: NOWHERE });

function scoreOf<Definition extends ResolvedScore["definition"]>(
  name: string,
  registry: readonly Definition[],
  kind: string,
  { prediction, target }: Compared,
  given: CallValues,
): ResolvedScore {
  const definition = registry.find((each) => each.name === kind);
  if (!definition) throw new Error(`there is no score \`${kind}\``);
  const values = withDefaults(definition, given, definition.positional);
  return { name, definition, values, prediction, target, origin: originOf(name) };
}

/** Every argument but those named in `without`; throws for one that is unknown or missing. */
function withDefaults(
  signature: Signature,
  given: CallValues,
  without: readonly string[] = [],
): CallValues {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(signature.arguments, name));
  if (unknown) throw new Error(`\`${signature.name}\` has no argument \`${unknown}\``);
  const declared = Object.entries(signature.arguments).filter(([name]) => !without.includes(name));
  const values = declared.map(([name, { isRequired, defaultValue }]) => {
    if (isRequired && given[name] === undefined) {
      throw new Error(`\`${signature.name}\` needs \`${name}\``);
    }
    return [name, given[name] ?? defaultValue] as const;
  });
  return Object.fromEntries(values);
}
