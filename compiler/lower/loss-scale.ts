import type { DynamicLossScale, Node, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { adjustLossScale, scaleGradient, startLossScale } from "../kernels/loss-scale.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { fixed, type Storage } from "../plan/storage.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

/** A single workgroup. */
const ONCE = { x: { ...fixed(1), tile: 1 }, z: 1 };

export function lowerScaleGradient(
  context: LoweringContext,
  node: Node<"scaleGradient">,
): readonly StepDraft[] {
  const [gradient, state] = node.inputs as [Value, Value];
  return quadSteps(context, node, {
    label: `${node.origin.name} loss scale`,
    result: node.outputs[0]!,
    kernel: scaleGradient(),
    buffers: { input: context.storageOf(gradient), state: context.storageOf(state) },
    constants: { input: context.layout(gradient).inQuads() },
  });
}

export function lowerAdjustLossScale(
  context: LoweringContext,
  node: Node<"adjustLossScale">,
): readonly StepDraft[] {
  const { growth, backoff, interval, momentumDecay, ...variant } = node.attributes;
  const { isStatic, clipsNorm, counts } = variant;
  const [state, squares] = node.inputs.map((value) => context.storageOf(value));
  const [applied] = node.outputs.map((value) => context.storageOf(value));
  return [
    dispatch(adjustLossScale({ isStatic, clipsNorm, counts }), {
      buffers: { state: state!, applied: applied!, ...withoutUndefined({ squares }) },
      constants: {
        growth,
        backoff,
        interval,
        ...withoutUndefined({ momentum_decay: momentumDecay }),
      },
      workgroups: ONCE,
      label: "loss scale",
      origin: node.origin,
    }),
  ];
}

/** The dispatch that gives a loss scale its first state. */
export function initializeLossScale(
  state: Storage,
  { initial }: Pick<DynamicLossScale, "initial">,
  origin: Origin,
): StepDraft {
  return dispatch(startLossScale(), {
    buffers: { state },
    constants: { scale: initial },
    workgroups: ONCE,
    label: "loss scale",
    origin,
  });
}
