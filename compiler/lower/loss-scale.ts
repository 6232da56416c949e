import type { DynamicLossScale, Node } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { adjustLossScale, scaleGradient, startLossScale } from "../kernels/loss-scale.js";
import type { LoweringContext } from "./context.js";
import { emitQuads } from "./quads-old.js";
import { fixed, floatBits, type StepDraft, type Storage } from "./storage.js";

/** A single workgroup. */
const ONCE = { x: { ...fixed(1), tile: 1 }, z: 1 };

export function lowerScaleGradient(context: LoweringContext, node: Node<"scaleGradient">): void {
  const [gradient, state] = node.inputs;
  emitQuads(context, node, {
    label: `${node.origin.name} loss scale`,
    result: node.outputs[0]!,
    fused: undefined,
    storage: [context.storageOf(gradient!), context.storageOf(state!)],
    constants: context.layout(gradient!).place("a"),
    kernel: scaleGradient,
  });
}

export function lowerAdjustLossScale(
  context: LoweringContext,
  node: Node<"adjustLossScale">,
): void {
  const { growth, backoff, interval } = node.attributes;
  context.emit({
    kernel: adjustLossScale(node.attributes),
    storage: [...node.inputs, ...node.outputs].map((value) => context.storageOf(value)),
    constants: { growth: floatBits(growth), backoff: floatBits(backoff), interval },
    workgroups: ONCE,
    label: "loss scale",
    origin: node.origin,
    macs: 0,
  });
}

/** The dispatch that gives a loss scale its first state. */
export function initializeLossScale(
  storage: Storage,
  { initial }: DynamicLossScale,
  origin: Origin,
): StepDraft {
  return {
    kernel: startLossScale(),
    storage: [storage],
    constants: { scale: floatBits(initial) },
    workgroups: ONCE,
    label: "loss scale",
    origin,
    macs: 0,
  };
}
