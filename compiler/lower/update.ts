import { trainedBy, type TrainedParameter } from "../ir/fusion.js";
import type { Node } from "../ir/graph.js";
import { squareSums, sumOfBlocks } from "../kernels/square-sum.js";
import { sumGradients } from "../kernels/sum-gradients.js";
import { update, UPDATE_QUADS, UPDATE_WORKGROUP, type UpdateScale } from "../kernels/update.js";
import { fixed } from "../plan/storage.js";
import { SQUARES_BLOCKS } from "../schedules/reductions.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { boundUpdate, descentOf } from "./gradient-sink.js";
import type { StepDraft } from "./step-draft.js";

export function lowerUpdate(context: LoweringContext, node: Node<"update">): readonly StepDraft[] {
  const [{ parameter, gradient, states }] = trainedBy(node) as [TrainedParameter];
  const { clipsNorm, skips } = node.attributes;
  const scale: UpdateScale = skips ? "applied" : clipsNorm ? "norm" : "none";
  const before = scale === "none" ? undefined : context.storageOf(node.inputs.at(-1)!);
  return context.piecesOf(parameter).map((piece, index) => {
    const quads = piece.bytes.fixed / 16;
    const kept = states.map((state) => context.piecesOf(state)[index]!);
    return dispatch(update({ descent: descentOf(node.attributes), scale }), {
      buffers: { gradient: context.piecesOf(gradient!)[index]! },
      constants: { quads },
      fragments: [
        boundUpdate(node.attributes, [piece, ...kept]),
        before && { buffers: { [scale]: before }, constants: {} },
      ],
      workgroups: { x: { ...fixed(quads), tile: UPDATE_WORKGROUP * UPDATE_QUADS }, z: 1 },
      label: `${parameter.name} update`,
      origin: node.origin,
    });
  });
}

/** Gradients of one parameter lie alike, piece by piece. */
export function lowerSumGradients(
  context: LoweringContext,
  node: Node<"sumGradients">,
): readonly StepDraft[] {
  const [first, second] = node.inputs.map((input) => context.piecesOf(input));
  return context.piecesOf(node.outputs[0]!).map((result, index) => {
    const quads = result.bytes.fixed / 16;
    return dispatch(sumGradients(), {
      buffers: { first: first![index]!, second: second![index]!, result },
      constants: { quads },
      threads: fixed(quads),
      label: `${node.origin.name} gradients summed`,
      origin: node.origin,
    });
  });
}

/**
 * Two steps a piece: sums of blocks, in parallel, and their sum, in a fixed order, added to what
 * there was before.
 */
export function lowerSquareSum(
  context: LoweringContext,
  node: Node<"squareSum">,
): readonly StepDraft[] {
  const [gradient, others] = node.inputs;
  const result = context.storageOf(node.outputs[0]!);
  const label = { label: `${gradient!.name} norm`, origin: node.origin };
  return context.choice(node).flatMap((blocks, index) => {
    const piece = context.piecesOf(gradient!)[index]!;
    const before = index > 0 ? result : others && context.storageOf(others);
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
