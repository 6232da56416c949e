import { isLayerwise } from "../../program/optimizers.js";
import { trainedBy, type TrainedParameter } from "../ir/fusion.js";
import type { Node } from "../ir/graph.js";
import { sumGradients } from "../kernels/sum-gradients.js";
import { update, UPDATE_QUADS, UPDATE_WORKGROUP } from "../kernels/update.js";
import { fixed } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { boundUpdate, descentOf, scaleOf } from "./gradient-sink.js";
import { lowerLayerwise } from "./layerwise.js";
import type { StepDraft } from "./step-draft.js";

export function lowerUpdate(context: LoweringContext, node: Node<"update">): readonly StepDraft[] {
  const [{ parameter, gradient, states }] = trainedBy(node) as [TrainedParameter];
  if (isLayerwise(node.attributes.optimizer)) return lowerLayerwise(context, node);
  const scale = scaleOf(node);
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
