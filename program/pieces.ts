/** What a piece of a parameter holds, for those who write it and those who read it. */
import type { ParameterLayout, ParameterPiece } from "./program.js";
import { roundUp } from "./round-up.js";

export type ContractionLayout = Extract<ParameterLayout, { kind: "contraction" }>;

/** The groups of a convolution that a piece of its weights belongs to. */
export interface PieceGroups {
  readonly first: number;
  readonly count: number;
  /** Output channels that the piece holds of each. */
  readonly outputs: number;
}

/** A piece holds whole groups, or some output channels of a single one. */
export function groupsOf(
  { start, count }: Pick<ParameterPiece, "start" | "count">,
  { outputs }: Pick<ContractionLayout, "outputs">,
): PieceGroups {
  const first = Math.floor(start / outputs);
  return count < outputs
    ? { first, count: 1, outputs: count }
    : { first, count: count / outputs, outputs };
}

/** Floats from one row of K to the next: the output channels of a group that a piece holds. */
export const columnPitch = ({ outputs }: Pick<PieceGroups, "outputs">): number =>
  roundUp(outputs, 4);

/** Rows of K that a kernel row takes: its pixels with all their channels, and padding. */
export const runLength = ({ kernel, inputPitch }: ContractionLayout): number =>
  roundUp(kernel[1] * inputPitch, 4);

/** Rows of K in one group: what a piece holds for each output channel. */
export const contractionRows = (layout: ContractionLayout): number =>
  layout.kernel[0] * runLength(layout);

/** Floats that a piece takes, padding included. `rows` is the parameter's first extent. */
export function pieceLength(
  layout: ParameterLayout,
  piece: Pick<ParameterPiece, "start" | "count">,
  rows: number,
): number {
  switch (layout.kind) {
    case "vector":
    case "plain":
      return roundUp(piece.count * (layout.length / rows), 4);
    case "contraction": {
      const groups = groupsOf(piece, layout);
      return groups.count * contractionRows(layout) * columnPitch(groups);
    }
  }
}
