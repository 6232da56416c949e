import type { Fused } from "../ir/fusion.js";
import type { AnyNode, Node, Value } from "../ir/graph.js";
import type { Bindings } from "../kernels/bindings.js";
import type { Constants } from "../kernels/constants.js";
import type { QuadKernel } from "../kernels/quads.js";
import { perImage } from "../plan/storage.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { dispatch, type Bound } from "./dispatch.js";
import { lowerEpilogue } from "./fused.js";
import { gatherFor } from "./gather.js";
import type { StepDraft } from "./step-draft.js";

/**
 * A kernel in which a thread makes a channel quad of the result, or a line of them, with what it is
 * given apart from that.
 */
export interface QuadStep<B extends Bindings, C extends Constants> extends Bound<B, C> {
  readonly label: string;
  readonly result: Value;
  readonly fused?: Fused | undefined;
  readonly kernel: QuadKernel<B, C>;
  /** Multiply-adds per image; 0 if left out. */
  readonly macs?: number;
}

/** The one dispatch of such a node. */
export function quadSteps<const B extends Bindings, const C extends Constants>(
  context: LoweringContext,
  node: Node,
  step: QuadStep<B, C>,
): readonly StepDraft[] {
  const { result, macs = 0, label } = step;
  const layout = context.layout(result);
  const finish = lowerEpilogue(context, step.fused, result);
  const own = { buffers: step.buffers, constants: step.constants } as unknown as Bound;
  const gather = gatherFor(context, node);
  const inLines = context.plan.lines.has(node as AnyNode);
  const { pixels, height, width, quads } = layout;
  const { epilogue } = finish;
  const kernel = inLines
    ? step.kernel.in({ form: "lines", epilogue, gathered: gather?.gathered })
    : step.kernel.in({ form: "quads", epilogue });
  return [
    dispatch(kernel, {
      buffers: { result: context.storageOf(result) },
      constants: {
        width,
        quads,
        result: layout.inQuads(),
        ...withoutUndefined({
          height: inLines ? height : undefined,
          pixels: "pixels" in kernel.constants ? pixels : undefined,
        }),
      },
      fragments: [own, finish.bound, gather?.bound()],
      threads: perImage((inLines ? height : pixels) * quads),
      label,
      origin: node.origin,
      macs,
    }),
  ];
}
