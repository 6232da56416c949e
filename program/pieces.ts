/** What a piece of a parameter holds, for those who write it and those who read it. */
import type { ParameterLayout, ParameterPiece } from "./program.js";

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
  { outputs }: Pick<Extract<ParameterLayout, { kind: "contraction" }>, "outputs">,
): PieceGroups {
  const first = Math.floor(start / outputs);
  return count < outputs
    ? { first, count: 1, outputs: count }
    : { first, count: count / outputs, outputs };
}
