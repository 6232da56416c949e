/** Quads of kernels that are still assembled from text. */
import type { Fused } from "../ir/fusion.js";
import type { AnyNode, Node, Value } from "../ir/graph.js";
import type { Epilogue } from "../kernels/epilogue.js";
import type { Kernel } from "../kernels/kernel.js";
import {
  lineKernel,
  POINTWISE_WORKGROUP,
  quadKernel,
  type QuadSkeleton,
} from "../kernels/pointwise-old.js";
import type { LoweringContext } from "./context.js";
import { lowerEpilogue } from "./fused.js";
import { gatherFor } from "./gather.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

/**
 * A kernel in which a thread makes a channel quad of the result, with what it reads apart from its
 * epilogue.
 */
export interface QuadStep {
  readonly label: string;
  readonly result: Value;
  readonly fused: Fused | undefined;
  readonly storage: readonly Storage[];
  readonly constants: Readonly<Record<string, number>>;
  kernel(epilogue: Epilogue, skeleton: QuadSkeleton): Kernel;
  /** Multiply-adds per image; 0 if left out. */
  readonly macs?: number;
}

export function quadSteps(
  context: LoweringContext,
  node: Node,
  step: QuadStep,
): readonly StepDraft[] {
  const layout = context.layout(step.result);
  const finish = lowerEpilogue(context, step.fused, step.result);
  const storage = [...step.storage, context.storageOf(step.result), ...finish.storage];
  const gather = gatherFor(context, node);
  const inLines = context.plan.lines.has(node as AnyNode);
  const skeleton: QuadSkeleton = inLines
    ? (parts) => lineKernel(parts, gather?.gathered)
    : quadKernel;
  const { pixels, height, width, quads } = layout;
  return [
    {
      kernel: step.kernel(finish.epilogue, skeleton),
      storage: [...storage, ...(gather?.storage ?? [])],
      constants: {
        ...{ pixels, height, width, quads },
        ...layout.place("y"),
        ...step.constants,
        ...finish.constants,
        ...gather?.constants,
      },
      workgroups: {
        x: { ...perImage((inLines ? height : pixels) * quads), tile: POINTWISE_WORKGROUP },
        z: 1,
      },
      label: step.label,
      origin: node.origin,
      macs: step.macs ?? 0,
    },
  ];
}
