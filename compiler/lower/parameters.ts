import type { ParameterLayout } from "../../program/program.js";
import type { AnyNode, Graph, Node, Parameter, Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import type { Layouts } from "../passes/layout.js";
import { roundUpTo4 } from "./activation-layout.js";
import { ConvolutionGeometry } from "./geometry.js";

/** WebGPU's default limit of a storage binding. Parameters are split to it everywhere: a module runs on any device. */
export const BINDING_LIMIT = 128 * 1024 * 1024;

/** Output channels [start, start + count) of a parameter, in a buffer of their own. */
export interface Piece {
  readonly start: number;
  readonly count: number;
  readonly bytes: number;
}

export interface StoredParameter {
  readonly parameter: Parameter;
  readonly layout: ParameterLayout;
  readonly pieces: readonly Piece[];
}

/** How a parameter lies in memory, which its reader decides. */
export function storeParameter(
  parameter: Parameter,
  graph: Graph,
  layouts: Layouts,
): StoredParameter {
  const layout = layoutOf(parameter, graph, layouts);
  const outputs = Number(parameter.value.shape[0]);
  return { parameter, layout, pieces: split(layout, outputs) };
}

/** Weights, and those that inference makes of them. */
const scaledBy = (weights: Value, { nodes }: Graph): readonly Value[] => [
  weights,
  ...nodes.flatMap(({ kind, inputs, outputs }) =>
    kind === "scaledWeights" && inputs[0] === weights ? outputs : [],
  ),
];

function layoutOf({ value }: Parameter, graph: Graph, layouts: Layouts): ParameterLayout {
  const standIns = scaledBy(value, graph);
  const reader = graph.nodes.find(
    (node): node is AnyNode & Node<"convolution" | "convolutionInputGradient"> =>
      (node.kind === "convolution" || node.kind === "convolutionInputGradient") &&
      standIns.includes(node.inputs[1]!),
  );
  if (!reader) return { kind: "vector", length: elementCount(value.shape) };
  // A transposed convolution makes what a convolution would read.
  const isTransposed = reader.kind === "convolutionInputGradient";
  const [input, output] = isTransposed
    ? [reader.outputs[0]!, reader.inputs[0]!]
    : [reader.inputs[0]!, reader.outputs[0]!];
  const geometry = new ConvolutionGeometry(reader.attributes, input.shape, output.shape);
  if (geometry.isDirect) return { kind: "plain", length: elementCount(value.shape) };
  const { groups, kernel } = reader.attributes;
  return {
    kind: "contraction",
    groups,
    outputs: geometry.groupOutputs,
    inputs: geometry.groupInputs,
    kernel,
    inputPitch: groups === 1 ? layouts.get(input.id)!.pitch : geometry.groupInputs,
  };
}

/** Rows of K in one group: what a piece holds for each output channel. */
export function contractionRows(layout: Extract<ParameterLayout, { kind: "contraction" }>): number {
  return layout.kernel[0] * roundUpTo4(layout.kernel[1] * layout.inputPitch);
}

function split(layout: ParameterLayout, channels: number): readonly Piece[] {
  if (layout.kind !== "contraction") {
    return [{ start: 0, count: channels, bytes: 4 * roundUpTo4(layout.length) }];
  }
  const { groups, outputs } = layout;
  const bytesFor = (count: number) => 4 * groups * contractionRows(layout) * roundUpTo4(count);
  const whole = bytesFor(outputs);
  if (whole <= BINDING_LIMIT) return [{ start: 0, count: outputs, bytes: whole }];
  if (groups > 1) throw new Error("weights of groups beyond the binding limit");
  const share = pieceOutputs(outputs, bytesFor(4) / 4);
  return Array.from({ length: Math.ceil(outputs / share) }, (_, piece) => {
    const start = piece * share;
    const count = Math.min(share, outputs - start);
    return { start, count, bytes: bytesFor(count) };
  });
}

/** Output channels of a piece: an even share, in blocks of 32 for full workgroups, within the limit. */
function pieceOutputs(outputs: number, bytesPerOutput: number): number {
  const most = Math.floor(BINDING_LIMIT / bytesPerOutput / 4) * 4;
  const pieces = Math.ceil(outputs / most);
  return Math.min(Math.ceil(outputs / pieces / 32) * 32, most);
}

/** Label of the step that handles one of a parameter's pieces. */
export const pieceLabel = (label: string, index: number, count: number): string =>
  count === 1 ? label : `${label} (${index + 1} of ${count})`;
