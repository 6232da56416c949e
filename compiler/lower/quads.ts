import type { Fused } from "../ir/fusion.js";
import type { AnyNode, Value } from "../ir/graph.js";
import type { Bindings } from "../kernels/bindings.js";
import type { Constants } from "../kernels/constants.js";
import type { QuadKernel } from "../kernels/quads.js";
import type { LoweringContext } from "./context.js";
import { dispatch, type Bound } from "./dispatch.js";
import { lowerEpilogue } from "./fused.js";
import { gatherFor, leftBy } from "./gather.js";
import { perImage } from "./storage.js";

/**
 * A kernel in which a thread makes a channel quad of the result, with what it is given apart from
 * that.
 */
export interface QuadStep<B extends Bindings, C extends Constants> extends Bound<B, C> {
  readonly label: string;
  readonly result: Value;
  readonly fused?: Fused | undefined;
  readonly kernel: QuadKernel<B, C>;
  /**
   * Whether a thread makes a quad or a line of them, be it only where a reduction follows; quads if
   * left out.
   */
  readonly form?: "quads" | "lines" | "lines to gather";
  /** Multiply-adds per image; 0 if left out. */
  readonly macs?: number;
}

export function emitQuads<const B extends Bindings, const C extends Constants>(
  context: LoweringContext,
  node: AnyNode,
  step: QuadStep<B, C>,
): void {
  const { result, form = "quads", macs = 0, label } = step;
  const layout = context.layout(result);
  const finish = lowerEpilogue(context, step.fused, result);
  const own = { buffers: step.buffers, constants: step.constants } as unknown as Bound;
  const gather = gatherFor(context, node);
  const left = gather && leftBy(context, node)[0]!.parts;
  const inLines = form === "lines" || gather !== undefined;
  const { pixels, height, width, quads } = layout;
  const { epilogue } = finish;
  const kernel = inLines
    ? step.kernel.in({ form: "lines", epilogue, gathered: gather?.gathered })
    : step.kernel.in({ form: "quads", epilogue });
  context.emit(
    dispatch(kernel, {
      buffers: { result: context.storageOf(result) },
      constants: {
        ...{ width, quads, y: layout.inQuads() },
        ...(inLines && { height }),
        ...("pixels" in kernel.constants && { pixels }),
      },
      fragments: [own, finish.bound, left && gather.bound(left.storage)],
      threads: perImage((inLines ? height : pixels) * quads),
      ...{ label, origin: node.origin, macs },
    }),
  );
}
