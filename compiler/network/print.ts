/** From a resolved network to the text of a spec, which resolves to the same network. */
import { callText } from "../calls/call-text.js";
import type { Expression } from "../ir/expression.js";
import { formatShape, isSignal, type Shape } from "../ir/shape.js";
import { formula } from "../layers/formula.js";
import { formulaText } from "../layers/formula-text.js";
import { parameter } from "../layers/parameter.js";
import { formulaScore } from "../layers/scores.js";
import { isBoxes, outputsOf, predictedByLosses, sameValue, typeOf } from "./facts.js";
import { firstUses, usesOf, withinUse, type ShareUse } from "./share-uses.js";
import { HiddenName, PrintedNames, requireName } from "./printed-names.js";
import type {
  NetworkPort,
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/** Longer lines are continued in another statement. */
const WIDTH = 100;

/**
 * The model as a spec declares it. Every prefix of a layer's name becomes a section; branches and
 * skips become layers that read a value by its name. Names of layers and weights stay the same.
 *
 * Throws for what the language cannot say: inputs that nothing reads, predictions other than the
 * losses', names that are not identifiers, a section whose layers are not next to each other, and
 * weights that are shared in another way than by `share`.
 */
export function print(network: ResolvedNetwork): string {
  const renamed: NetworkValue[] = [];
  for (;;) {
    try {
      return new NetworkPrinter(network, renamed).run();
    } catch (error) {
      const isNew = error instanceof HiddenName && !renamed.some(sameAs(error.value));
      if (!isNew) throw error;
      renamed.push(error.value);
    }
  }
}

const sameAs = (value: NetworkValue) => (other: NetworkValue) => sameValue(value, other);

class NetworkPrinter {
  private readonly lines: string[] = [];
  private readonly names: PrintedNames;
  private readonly scored: ReadonlySet<number>;
  private readonly uses: readonly ShareUse[];
  private path: readonly string[] = [];
  /** Layers of the statement that is being written. */
  private chain: string[] = [];
  private current: NetworkValue = { from: "input", index: 0 };

  /** @param renamed values that have a second name, as others hide the first somewhere */
  constructor(
    private readonly network: ResolvedNetwork,
    private readonly renamed: readonly NetworkValue[] = [],
  ) {
    requireReadInputs(network);
    this.uses = usesOf(network);
    this.names = new PrintedNames(network);
    this.scored = new Set(scoredLayers(network));
  }

  run(): string {
    const { name, inputs, targets, layers } = this.network;
    this.lines.push(`model ${requireName(name)} {`);
    this.lines.push(...inputs.map((input) => `  input  ${portText(input)}`));
    this.lines.push(...targets.map((target) => `  target ${portText(target)}`), "");
    for (const use of firstUses(this.uses)) this.printShare(use);
    inputs.forEach((_, index) => this.rename({ from: "input", index }));
    this.printLayers(layers.length);
    this.printEnd();
    return [...this.lines, "}", ""].join("\n");
  }

  /** The statements of the layers alone. */
  body(): readonly string[] {
    this.printLayers(this.network.layers.length);
    return this.lines;
  }

  private printLayers(count: number): void {
    for (let index = 0; index < count; index++) {
      const use = this.uses.find(({ first }) => first === index);
      if (use) this.printUse(use);
      else this.printLayer(index);
      if (use) index += use.count - 1;
      this.rename({ from: "layer", index });
    }
    this.enter([]);
    this.endStatement();
  }

  /** The declaration of shared layers, from their first use. */
  private printShare(use: ShareUse): void {
    this.names.open([use.share]);
    const layers = new NetworkPrinter(withinUse(this.network, use)).body();
    this.lines.push(`  share ${use.share} {`, ...layers.map((line) => `  ${line}`), "  }", "");
  }

  private printUse(use: ShareUse): void {
    const path = use.name.split(".");
    this.enter(path.slice(0, -1));
    const isElsewhere = !sameValue(use.input, this.current);
    this.endStatement();
    if (isElsewhere) this.chain.push(`from ${this.names.reference(use.input, this.path)}`);
    const last = use.first + use.count - 1;
    const isUnnamed = this.names.defineUse(use, { isScored: this.scored.has(last) });
    this.append(isUnnamed ? use.share : `${use.share} as ${path.at(-1)}`);
    this.current = { from: "layer", index: last };
  }

  private printLayer(index: number): void {
    const layer = this.network.layers[index]!;
    this.enter(layer.name.split(".").slice(0, -1));
    if (layer.definition === formula) return this.printFormula(layer, index);
    if (layer.definition === parameter) return this.printParameter(layer, index);
    const [input, ...others] = layer.inputs as [NetworkValue, ...NetworkValue[]];
    const isElsewhere = !sameValue(input, this.current);
    if (isElsewhere || layer.definition.macs) this.endStatement();
    if (isElsewhere) this.chain.push(`from ${this.names.reference(input, this.path)}`);
    const references = others.map((other) => this.names.reference(other, this.path));
    const isUnnamed = this.names.define(layer, index, { isScored: this.scored.has(index) });
    const text = this.layerText(layer, references);
    this.append(isUnnamed ? text : `${text} as ${layer.name.split(".").at(-1)}`);
    this.current = { from: "layer", index };
  }

  /** `identity as NAME`: the same value by a name that nothing hides. */
  private rename(value: NetworkValue): void {
    if (!this.renamed.some(sameAs(value))) return;
    if (!sameValue(value, this.current)) {
      this.endStatement();
      this.chain.push(`from ${this.names.reference(value, this.path)}`);
    }
    this.append(`identity as ${this.names.rename(value)}`);
    this.current = value;
  }

  /** `let y = ...`, a separate statement. */
  private printFormula(layer: ResolvedLayer, index: number): void {
    this.endStatement();
    const names = layer.inputs.map((input) => this.names.reference(input, this.path));
    const text = formulaText(layer.values.expression as Expression, names);
    this.names.define(layer, index, { isScored: true });
    this.lines.push(`${this.indent}let ${layer.name.split(".").at(-1)} = ${text}`);
    this.current = { from: "layer", index };
  }

  /** `parameter positions: f32[197, 768]`, a separate statement; the current value stays. */
  private printParameter(layer: ResolvedLayer, index: number): void {
    this.endStatement();
    this.names.define(layer, index, { isScored: true });
    const { shape, init } = layer.values as { readonly shape: Shape; readonly init: unknown };
    const type = `f32${formatShape(shape)}`;
    const start = init ? ` init ${parameter.arguments["init"]!.type.write(init)}` : "";
    this.lines.push(`${this.indent}parameter ${layer.name.split(".").at(-1)}: ${type}${start}`);
  }

  /** A call; the join of a single value is a `concat` of one branch. */
  private layerText(layer: ResolvedLayer, others: readonly string[]): string {
    const { name, definition, values, inputs } = layer;
    const isBranch = definition.others !== undefined && inputs.length === 1;
    const isOfSignal = isSignal(typeOf(this.network, inputs[0]!).shape);
    if (!isBranch) return callText(definition, values, others, { isOfSignal });
    if (definition.name !== "concat") throw new Error(`${definition.name} needs another value`);
    return `concat { branch ${this.names.unusedBeside(name)} {} }`;
  }

  private append(text: string): void {
    const width = [...this.chain, text].join(" -> ").length + this.indent.length;
    const isFrom = this.chain.length === 1 && this.chain[0]!.startsWith("from ");
    if (width > WIDTH && !isFrom) this.endStatement();
    this.chain.push(text);
  }

  private endStatement(): void {
    if (this.chain.length > 0) this.lines.push(`${this.indent}${this.chain.join(" -> ")}`);
    this.chain = [];
  }

  private get indent(): string {
    return "  ".repeat(this.path.length + 1);
  }

  /** Closes sections and opens others, up to the one of this path. */
  private enter(path: readonly string[]): void {
    const common = path.findIndex((part, depth) => part !== this.path[depth]);
    const shared = common < 0 ? Math.min(path.length, this.path.length) : common;
    if (shared === path.length && shared === this.path.length) return;
    this.endStatement();
    while (this.path.length > shared) {
      this.path = this.path.slice(0, -1);
      this.lines.push(`${this.indent}}`);
    }
    for (const part of path.slice(shared)) {
      this.names.open([...this.path, part]);
      this.lines.push(`${this.indent}${part} {`);
      this.path = [...this.path, part];
    }
  }

  /** Loss and metrics; where there is no loss, the value that the network predicts comes last. */
  private printEnd(): void {
    const { losses, metrics, outputs } = this.network;
    const { value } = outputs[0]!;
    const said = outputsOf(this.network, value);
    const isSaid =
      said.length === outputs.length &&
      said.every((output, index) => sameValue(output.value, outputs[index]!.value));
    if (!isSaid) this.printOutputs();
    const isLast = isSaid && losses.every(({ score }) => !score.target);
    if (isLast && !sameValue(value, this.current)) {
      this.lines.push(`  from ${this.names.reference(value, [])}`);
    }
    if (losses.length + metrics.length > 0) this.lines.push("");
    const terms = losses.map(({ score, factor }) => {
      return factor === 1 ? this.scoreText(score) : `${factor} * ${this.scoreText(score)}`;
    });
    if (terms.length > 0) this.lines.push(`  loss   ${terms.join(" + ")}`);
    const longest = Math.max(...metrics.map(({ name }) => name.length));
    for (const metric of metrics) {
      const name = requireName(metric.name).padEnd(longest);
      this.lines.push(`  metric ${name} = ${this.scoreText(metric)}`);
    }
  }

  /** `output logits, features`. */
  private printOutputs(): void {
    const { outputs, losses } = this.network;
    const isPredicted = (value: NetworkValue) =>
      outputs.some((output) => sameValue(output.value, value));
    if (!predictedByLosses({ losses }).every(isPredicted)) {
      throw new Error("a spec predicts what its losses are taken of, and this network does not");
    }
    const names = outputs.map(({ value }) => this.names.reference(value, []));
    this.lines.push(`  output ${names.join(", ")}`);
  }

  private comparedName(target: NetworkValue): string {
    if (target.from === "layer") return this.names.scoreReference(target);
    const ports = target.from === "input" ? this.network.inputs : this.network.targets;
    return ports[target.index]!.name;
  }

  private scoreText({ definition, values, prediction, target }: ResolvedScore): string {
    const compared = target ? [this.comparedName(target)] : [];
    const names = [this.names.scoreReference(prediction), ...compared];
    if (definition === formulaScore) {
      return `${definition.name}(${formulaText(values.expression as Expression, names)})`;
    }
    return callText(definition, values, names);
  }
}

/** The layers whose values scores are taken of. */
const scoredLayers = ({ losses, metrics }: ResolvedNetwork): readonly number[] =>
  [...losses.map(({ score }) => score), ...metrics].flatMap(({ prediction, target }) =>
    target?.from === "layer" ? [prediction.index, target.index] : [prediction.index],
  );

function portText({ name, type, classes }: NetworkPort): string {
  const end = classes ?? type.vocabulary;
  const range = end === undefined ? "" : ` in 0..${end}`;
  if (isBoxes({ type, classes })) {
    return `${requireName(name)}: boxes${formatShape(type.shape.slice(0, -1))}${range}`;
  }
  const holds = isSignal(type.shape) ? "signal" : type.dtype;
  return `${requireName(name)}: ${holds}${formatShape(type.shape)}${range}`;
}

/** Of several inputs, a spec reads all. */
function requireReadInputs({ name, inputs, layers, losses, metrics }: ResolvedNetwork): void {
  const scores = [...losses.map(({ score }) => score), ...metrics];
  const values = [
    ...layers.flatMap((layer) => layer.inputs),
    ...scores.flatMap(({ prediction, target }) => (target ? [prediction, target] : [prediction])),
  ];
  const read = new Set(values.flatMap(({ from, index }) => (from === "input" ? [index] : [])));
  const unread = inputs.find((_, index) => inputs.length > 1 && !read.has(index));
  if (unread) throw new Error(`nothing in ${name} reads the input \`${unread.name}\``);
}
