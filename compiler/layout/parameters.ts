import { pieceLength, type ContractionLayout } from "../../program/pieces.js";
import type { ParameterLayout } from "../../program/program.js";
import type { AnyNode, Node, Parameter, Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import type { Uses } from "../ir/uses.js";
import type { Layouts } from "./choose-layouts.js";
import { roundUpTo4 } from "./activation-layout.js";
import { geometryOf } from "./geometry.js";
import { evenShare, shares } from "./shares.js";

/**
 * Rows [start, start + count) of a parameter, which are output channels, in a separate buffer.
 */
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

/**
 * How a parameter lies in memory, which its reader decides, in pieces of at most this many bytes.
 */
export function storeParameter(
  parameter: Parameter,
  uses: Uses,
  layouts: Layouts,
  limit: number,
): StoredParameter {
  const layout = layoutOf(parameter, uses, layouts);
  const outputs = Number(parameter.value.shape[0]);
  return { parameter, layout, pieces: split(layout, outputs, limit) };
}

/** Weights, and those that inference makes of them. */
const scaledBy = (weights: Value, uses: Uses): readonly Value[] => [
  weights,
  ...uses
    .readers(weights)
    .flatMap(({ kind, outputs }) => (kind === "scaledWeights" ? outputs : [])),
];

function layoutOf({ value }: Parameter, uses: Uses, layouts: Layouts): ParameterLayout {
  const standIns = scaledBy(value, uses);
  const reader = standIns
    .flatMap((standIn) => uses.readers(standIn))
    .find(
      (node): node is AnyNode & Node<"convolution" | "convolutionInputGradient"> =>
        (node.kind === "convolution" || node.kind === "convolutionInputGradient") &&
        standIns.includes(node.inputs[1]!),
    );
  if (!reader) return { kind: "vector", length: elementCount(value.shape) };
  // A transposed convolution makes what a convolution would read.
  const [input] = reader.kind === "convolutionInputGradient" ? reader.outputs : reader.inputs;
  const geometry = geometryOf(reader);
  if (geometry.isDirect) return { kind: "plain", length: elementCount(value.shape) };
  const { groups, kernel } = reader.attributes;
  return {
    kind: "contraction",
    groups,
    outputs: geometry.groupOutputs,
    inputs: geometry.groupInputs,
    kernel,
    inputPitch: groups === 1 ? layouts.get(input!.id)!.pixelFloats : geometry.groupInputs,
  };
}

/**
 * Whole if it fits, else in pieces of whole groups, or of some output channels of a group. Four
 * output channels are never split, nor are parameters of other layouts: what is larger than the
 * limit then is a separate error (../limits.ts).
 */
function split(layout: ParameterLayout, channels: number, limit: number): readonly Piece[] {
  if (layout.kind !== "contraction") {
    const whole = { start: 0, count: channels };
    return [{ ...whole, bytes: 4 * roundUpTo4(pieceLength(layout, whole, channels)) }];
  }
  const counts = pieceCounts(layout, limit);
  let start = 0;
  return counts.map((count) => {
    const piece = { start, count, bytes: pieceBytes(layout, { start, count }) };
    start += count;
    return piece;
  });
}

const pieceBytes = (layout: ContractionLayout, piece: Pick<Piece, "start" | "count">) =>
  4 * pieceLength(layout, piece, layout.groups * layout.outputs);

function pieceCounts(layout: ContractionLayout, limit: number): readonly number[] {
  const { groups, outputs } = layout;
  const bytesFor = (count: number) => pieceBytes(layout, { start: 0, count });
  if (bytesFor(groups * outputs) <= limit) return [groups * outputs];
  const fitting = Math.floor(limit / bytesFor(outputs));
  if (fitting >= 1) {
    return shares(groups, evenShare(groups, fitting)).map((count) => count * outputs);
  }
  const share = pieceOutputs(outputs, bytesFor(Math.min(4, outputs)) / 4, limit);
  const ofGroup = shares(outputs, share);
  return Array.from({ length: groups }, () => ofGroup).flat();
}

/**
 * Output channels of a piece: an even share, in blocks of 32 for full workgroups, within the limit.
 */
function pieceOutputs(outputs: number, bytesPerOutput: number, limit: number): number {
  const most = Math.max(1, Math.floor(limit / bytesPerOutput / 4)) * 4;
  const pieces = Math.ceil(outputs / most);
  return Math.min(Math.ceil(outputs / pieces / 32) * 32, most);
}

/** Label of the step that handles one of a parameter's pieces. */
export const pieceLabel = (label: string, index: number, count: number): string =>
  count === 1 ? label : `${label} (${index + 1} of ${count})`;
