import type { Node } from "../ir/graph.js";
import { squareSums, sumOfBlocks } from "../kernels/square-sum.js";
import { fixed, type Storage } from "../plan/storage.js";
import { SQUARES_BLOCKS } from "../schedules/reductions.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

export function lowerSquareSum(
  context: LoweringContext,
  node: Node<"squareSum">,
): readonly StepDraft[] {
  const [gradient, others] = node.inputs;
  return squareSteps({
    pieces: context.piecesOf(gradient!),
    blocks: context.choice(node),
    result: context.storageOf(node.outputs[0]!),
    others: others && context.storageOf(others),
    label: { label: `${gradient!.name} norm`, origin: node.origin },
  });
}

export interface SquareSum {
  readonly pieces: readonly Storage[];
  /** Memory for the sums of blocks, of each piece. */
  readonly blocks: readonly Storage[];
  readonly result: Storage;
  /** What is added to the sum. */
  readonly others: Storage | undefined;
  readonly label: Pick<StepDraft, "label" | "origin">;
}

/**
 * Two steps a piece: sums of blocks, in parallel, and their sum, in a fixed order, added to what
 * there was before.
 */
export function squareSteps({
  pieces,
  result,
  others,
  label,
  ...rest
}: SquareSum): readonly StepDraft[] {
  return rest.blocks.flatMap((blocks, index) => {
    const piece = pieces[index]!;
    const before = index > 0 ? result : others;
    const earlier = before === undefined ? "first" : before === result ? "same" : "other";
    return [
      dispatch(squareSums(), {
        ...label,
        buffers: { gradient: piece, blocks },
        constants: { quads: piece.bytes.fixed / 16 },
        workgroups: { x: { ...fixed(SQUARES_BLOCKS), tile: 1 }, z: 1 },
      }),
      dispatch(sumOfBlocks(earlier), {
        ...label,
        buffers: {
          blocks,
          result,
          ...withoutUndefined({ before: earlier === "other" ? before : undefined }),
        },
        constants: {},
        workgroups: { x: { ...fixed(1), tile: 1 }, z: 1 },
      }),
    ];
  });
}
