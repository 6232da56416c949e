/** From a foreign graph to a network of the language and its weights. */
import { BATCH, isSequence } from "../compiler/ir/shape.js";
import { findLayer } from "../compiler/layers/index.js";
import type { ResolvedNetwork } from "../compiler/network/resolved.js";
import { RefusedNode } from "./attributes.js";
import { Draft, tensorsOf, type DraftLayer, type ImportedTensor } from "./draft.js";
import { ImportError } from "./error.js";
import { computedShape, fold, inputsRead, type FoldedGraph } from "./fold.js";
import {
  describeNode,
  type ForeignGraph,
  type ForeignInput,
  type ForeignNode,
  type ForeignTensor,
} from "./foreign-graph.js";
import { attentionAt, type Surroundings } from "./attention.js";
import { constant, shapeOf, type Feature, type Known } from "./known.js";
import { identifier, pathsOf } from "./names.js";
import { NodeContext } from "./node-context.js";
import { operators } from "./operators/index.js";
import { recognize } from "./patterns/index.js";
import { structured } from "./structure/index.js";
import { filled, integers } from "./tensors.js";
import { withoutUndefined } from "../program/without-undefined.js";

export interface ImportOptions {
  /** The model's name in the spec: an identifier. */
  readonly name: string;
  /**
   * Sizes without the batch, where the file leaves them open or others are wanted; of several
   * inputs, of the one whose sizes are open.
   */
  readonly input?: readonly number[];
  /** The value to end in, where the file has several outputs. */
  readonly output?: string;
}

export interface ImportedModel {
  readonly network: ResolvedNetwork;
  /** The declarations of a spec that resolves to the network. */
  readonly text: string;
  readonly tensors: readonly ImportedTensor[];
  readonly report: ImportReport;
}

export interface ImportReport {
  readonly source: string;
  /** Which layer each node became, in the network's order. */
  readonly mapped: readonly {
    readonly node: string;
    readonly layer: string;
    readonly kind: string;
    /** The layer's name in the file. */
    readonly from: string;
  }[];
  /** What has no separate layer, and why. */
  readonly folded: readonly { readonly node: string; readonly into: string }[];
  /** Choices that the reader of the spec should know of. */
  readonly remarks: readonly string[];
}

/** Throws an ImportError that names every node that has no counterpart. */
export function importGraph(graph: ForeignGraph, options: ImportOptions): ImportedModel {
  const output = outputOf(graph, options.output);
  const folded = fold({ ...graph, outputs: [output] });
  const recognized = recognize(folded);
  const inputs = inputsOf(recognized, options.input);
  return new Mapping(recognized, inputs, options.name).run();
}

function outputOf({ outputs }: ForeignGraph, wanted: string | undefined): string {
  if (wanted !== undefined && outputs.includes(wanted)) return wanted;
  const names = outputs.map((name) => `\`${name}\``).join(", ");
  if (wanted !== undefined) {
    throw new ImportError(`the model has no output \`${wanted}\``, [`its outputs are ${names}`]);
  }
  if (outputs.length === 1) return outputs[0]!;
  throw new ImportError(
    `the model has ${outputs.length} outputs, and a spec has one`,
    outputs.length === 0 ? [] : [`choose one with --ends-in NAME: ${names}`],
  );
}

interface SizedInput {
  /** Of the file. */
  readonly name: string;
  readonly batch: number | undefined;
  readonly sizes: readonly number[];
}

/** The inputs that the output needs, with all their sizes. */
function inputsOf(
  graph: ForeignGraph,
  wanted: readonly number[] | undefined,
): readonly SizedInput[] {
  const used = inputsRead(graph);
  if (used.length === 0) throw new ImportError("the model reads no input");
  const tokens = used.find(({ integers }) => integers);
  if (tokens) {
    throw new ImportError(`its input \`${tokens.name}\` holds tokens, which netc does not import`, [
      "`embedding` reads tokens in a spec: write the model as one",
    ]);
  }
  const resized = wanted && resizedInput(used);
  return used.map((input) => {
    const { name, shape } = input;
    const sized = input === resized ? { name, shape: [shape[0], ...wanted!] } : input;
    return { name, batch: shape[0], sizes: declaredSizes(sized) };
  });
}

/** The input that `--input` is about. */
function resizedInput(inputs: readonly ForeignInput[]): ForeignInput {
  const [only, ...others] = inputs;
  const open = inputs.filter(({ shape }) => shape.slice(1).includes(undefined));
  if (only && others.length === 0) return only;
  if (open.length === 1) return open[0]!;
  const names = inputs.map(({ name }) => `\`${name}\``).join(", ");
  throw new ImportError(
    `--input gives the sizes of one input, and ${open.length} of this model's are open`,
    [`its inputs are ${names}`],
  );
}

/** Most elements of an example: more is a wrong number. */
const MOST_ELEMENTS = 2 ** 27;

function declaredSizes({ name, shape }: ForeignInput): readonly number[] {
  const sizes = shape.slice(1);
  const text = ["N", ...sizes.map((size) => size ?? "?")].join(", ");
  if (sizes.length < 1 || sizes.length > 3) {
    throw new ImportError(
      `the input \`${name}\` is [${text}], and netc imports [N, F], [N, T, C] and [N, C, H, W]`,
    );
  }
  if (sizes.every((size) => size !== undefined)) {
    const product = sizes.reduce((a, b) => a * b, 1);
    if (product >= 1 && product <= MOST_ELEMENTS) return sizes;
    throw new ImportError(`the input \`${name}\` is [${text}], which is not the size of an image`);
  }
  const usual = sizes.length === 2 ? [197, 768] : [3, 224, 224];
  const example = sizes.map((size, axis) => size ?? usual[axis]).join("x");
  throw new ImportError(`the file leaves sizes of the input \`${name}\` open: [${text}]`, [
    `say them with --input, for instance --input ${example}`,
  ]);
}

interface Refusal {
  readonly node: ForeignNode;
  readonly error: RefusedNode;
}

class Mapping {
  private readonly known = new Map<string, Known>();
  private readonly refusals: Refusal[] = [];
  /** Values of nodes that were refused, or that read such values. */
  private readonly lost = new Set<string>();
  private readonly draft: Draft;
  private readonly makers: ReadonlyMap<string, ForeignNode>;

  constructor(
    private readonly graph: FoldedGraph,
    inputs: readonly SizedInput[],
    private readonly name: string,
  ) {
    const names = inputNames(inputs.map((input) => input.name));
    const [{ batch }] = inputs as [SizedInput];
    const ports = inputs.map(({ sizes }, index) => ({ name: names[index]!, sizes }));
    this.draft = new Draft(ports, batch);
    this.makers = new Map(
      graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
    );
    for (const [name, tensor] of graph.constants) this.known.set(name, constant(tensor));
    inputs.forEach(({ name }, index) => this.known.set(name, this.draft.starts[index]!));
  }

  run(): ImportedModel {
    for (const node of this.graph.nodes) this.map(node);
    // What is refused within a pattern that was found is not needed.
    if (this.graph.outputs.some((name) => this.lost.has(name))) throw refusalError(this.refusals);
    const output = this.output();
    if (output.value.from === "input") throw new ImportError("the model computes nothing");
    const draft = this.draft.finish(this.name, output.value);
    const { text, network, order } = structured(draft.network, pathsOf(draft.layers));
    const layers = order.map((index) => draft.layers[index]!);
    const tensors = layers.flatMap((layer, index) => tensorsOf(layer, network.layers[index]!.name));
    return { network, text, tensors, report: this.reportOn(network, layers) };
  }

  private map(node: ForeignNode): void {
    try {
      const attention = this.attentionOf(node);
      const isLost = !attention && node.inputs.some((name) => name && this.lost.has(name));
      if (isLost) return this.lose(node);
      const made = attention ?? this.outputOf(node);
      const outputs = isList(made) ? made : [made];
      node.outputs.forEach((name, index) => {
        const output = outputs[index];
        if (output) this.known.set(name, output);
        else this.known.delete(name);
      });
    } catch (error) {
      if (!(error instanceof RefusedNode)) throw error;
      this.refusals.push({ node, error });
      this.lose(node);
    }
  }

  /** The layer of a node that ends an attention. */
  private attentionOf(node: ForeignNode): Feature | undefined {
    const found = attentionAt(node, this.surroundings);
    if (!found) return undefined;
    const { input, heads, causal, scale, inWeight, inBias, outWeight, outBias } = found;
    const hasBias = inBias !== undefined || outBias !== undefined;
    const zeros = ({ shape }: ForeignTensor) => filled(shape[0]!, 0);
    const tensors = withoutUndefined({
      in_proj_weight: inWeight,
      in_proj_bias: hasBias ? (inBias ?? zeros(inWeight)) : undefined,
      "out_proj.weight": outWeight,
      "out_proj.bias": hasBias ? (outBias ?? zeros(outWeight)) : undefined,
    });
    const context = new NodeContext(node, [], this.draft);
    const x = context.asStored(this.known.get(input) as Feature);
    const values = withoutUndefined({ heads, causal, scale, bias: hasBias });
    return context.layer("attention", [x], values, { tensors });
  }

  private readonly surroundings: Surroundings = {
    makerOf: (value) => this.makers.get(value),
    constantOf: (value) => {
      const known = this.known.get(value);
      if (known?.is === "constant") return known.tensor;
      if (known?.is !== "sizes") return undefined;
      const sizes = known.sizes.map((size) => (size === BATCH ? this.examples : Number(size)));
      return integers(known.isScalar ? [] : [sizes.length], sizes);
    },
    sequenceOf: (value) => {
      const known = this.known.get(value);
      if (known?.is !== "feature" || !isSequence(known.stored)) return undefined;
      const [, tokens, channels] = shapeOf(known).map(Number);
      return [this.examples, tokens!, channels!];
    },
  };

  /** For how many examples nodes are followed: two, where the file leaves that open. */
  private get examples(): number {
    return this.draft.batch ?? 2;
  }

  private lose(node: ForeignNode): void {
    for (const name of node.outputs) this.lost.add(name);
  }

  private outputOf(node: ForeignNode): Known | readonly Known[] {
    const mapping = Object.hasOwn(operators, node.operator) ? operators[node.operator] : undefined;
    if (!mapping) throw new RefusedNode("netc has no layer for this operator");
    const inputs = node.inputs.map((name) => (name ? this.valueOf(name) : undefined));
    const result = constantResult(node, inputs);
    if (result) return result;
    const context = new NodeContext(node, inputs, this.draft);
    const output = mapping(context);
    const [left] = context.attributes.left;
    if (left !== undefined) throw new RefusedNode(`its attribute \`${left}\` is unknown to netc`);
    return output;
  }

  private valueOf(name: string): Known {
    const value = this.known.get(name);
    if (value) return value;
    throw new RefusedNode(`it reads \`${name}\`, which no node before it makes`);
  }

  private output(): Feature {
    const [name] = this.graph.outputs;
    const output = this.known.get(name!);
    if (output?.is !== "feature") {
      throw new ImportError(`the model's output \`${name}\` does not depend on its input`);
    }
    const { order } = output;
    const maker = this.graph.nodes.find(({ outputs }) => outputs.includes(name!));
    if (order.as === "stored") return output;
    if (order.as === "axes" && maker)
      return new NodeContext(maker, [], this.draft).asStored(output);
    throw new ImportError(
      `the model's output \`${name}\` has its features in an order that netc cannot say`,
    );
  }

  private reportOn(network: ResolvedNetwork, layers: readonly DraftLayer[]): ImportReport {
    const mapped = network.layers.map(({ name, definition }, index) => {
      const { node } = layers[index]!;
      const from = node.layer ?? node.name;
      return { node: describeNode(node), layer: name, kind: definition.name, from };
    });
    const folded = this.graph.folded.map((node) => {
      return { node: describeNode(node), into: "a constant" };
    });
    const remarks = layers.flatMap(({ remark }) => remark ?? []);
    const { source } = this.graph;
    return { source, mapped, folded, remarks: [...(this.graph.remarks ?? []), ...remarks] };
  }
}

const isList = (made: Known | readonly Known[]): made is readonly Known[] => Array.isArray(made);

/** Of nodes that compute with shapes, once these are known. */
function constantResult(node: ForeignNode, inputs: readonly (Known | undefined)[]) {
  const isConstant = inputs.every((input) => !input || input.is === "constant");
  if (!isConstant || node.outputs.length !== 1) return undefined;
  const tensors = inputs.map((input) => (input?.is === "constant" ? input.tensor : undefined));
  const [tensor] = computedShape(node, tensors) ?? [];
  return tensor && constant(tensor);
}

/** What a single input is called. */
const INPUT = "image";

/** Of several, the file's names as far as they can be names of a spec. */
function inputNames(names: readonly string[]): readonly string[] {
  if (names.length === 1) return [INPUT];
  const given = names.map((name) => name.replace(/:\d+$/, ""));
  return given.reduce<readonly string[]>((taken, name) => {
    const stem = identifier(name);
    let own = isLayerKind(stem) ? `${stem}_` : stem;
    while (taken.includes(own)) own += "_";
    return [...taken, own];
  }, []);
}

const isLayerKind = (name: string) => findLayer(name) !== undefined;
/** Refusals that a message lists. */
const MOST_LISTED = 12;

function refusalError(refusals: readonly Refusal[]): ImportError {
  const lines = refusals.slice(0, MOST_LISTED).map(({ node, error }) => {
    const instead = error.instead === undefined ? "" : ` (instead: ${error.instead})`;
    return `  ${describeNode(node)}: ${error.message}${instead}`;
  });
  const more = refusals.length - lines.length;
  const count = refusals.length === 1 ? "1 node has" : `${refusals.length} nodes have`;
  const rest = more > 0 ? [`  and ${more} more`] : [];
  return new ImportError([`${count} no counterpart in netc:`, ...lines, ...rest].join("\n"));
}
