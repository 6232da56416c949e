import type { Feature, Known } from "../known.js";
import { axisOf, type NodeContext } from "../node-context.js";
import { requireImage } from "./convolution.js";
import { windowOf } from "./windows.js";

/** `MaxPool`. Padding never wins. */
export function maxPool(context: NodeContext): Known {
  const image = requireImage(context);
  const { attributes } = context;
  attributes.ignore("storage_order");
  if (context.node.outputs.length > 1) context.refuse("it also returns where its maxima are");
  const { dilation, ...window } = windowOf(context, image);
  requireNoDilation(context, dilation);
  return context.layer("maxpool", [image], {
    ...window,
    ceil: attributes.flag("ceil_mode", false),
  });
}

/** `AveragePool`. Padding does not count unless `count_include_pad` says so. */
export function averagePool(context: NodeContext): Known {
  const image = requireImage(context);
  const { attributes } = context;
  const { dilation, ...window } = windowOf(context, image);
  requireNoDilation(context, dilation);
  const { top, bottom, left, right } = window.padding;
  const hasPadding = top + bottom + left + right > 0;
  const counts = attributes.flag("count_include_pad", false);
  const ceil = attributes.flag("ceil_mode", false);
  return context.layer("avgpool", [image], {
    ...window,
    ceil,
    count_padding: counts || !hasPadding,
  });
}

export function globalAveragePool(context: NodeContext): Known {
  return context.layer("global_avgpool", [requireImage(context)]);
}

/** Means of windows that cover an image, which files have as products with two matrices. */
export function adaptiveAveragePool(context: NodeContext): Known {
  const image = requireImage(context);
  const { attributes } = context;
  const [from, size] = [attributes.numbers("input_size"), attributes.numbers("output_size")];
  if (from?.join() !== pixels(image).join()) context.refuse("its matrices do not fit its input");
  return context.layer("adaptive_avgpool", [image], { size });
}

export function globalMaxPool(context: NodeContext): Known {
  const image = requireImage(context);
  return context.layer("maxpool", [image], { kernel: pixels(image) });
}

/** `ReduceMean` and `ReduceMax` over rows, columns or both. */
export const reduce =
  (kind: "avgpool" | "maxpool") =>
  (context: NodeContext): Known => {
    const { attributes } = context;
    const image = context.feature(0);
    const rank = image.stored.length;
    const named = attributes.numbers("axes");
    const axes = named ?? (context.has(1) ? context.integers(1, "axes") : undefined);
    const keeps = attributes.flag("keepdims", true);
    attributes.ignore("noop_with_empty_axes");
    if (rank !== 4 || !axes?.length) context.refuse("it does not reduce rows and columns alone");
    const order = image.order.as === "axes" ? image.order.axes : [0, 1, 2, 3];
    const stored = axes.map((axis) => order[axisOf(axis, rank)]!);
    if (!stored.every((axis) => axis >= 2)) {
      context.refuse(`it reduces axes [${axes.join(", ")}], and only rows and columns can be`);
    }
    const [height, width] = pixels(image);
    const kernel = [stored.includes(2) ? height : 1, stored.includes(3) ? width : 1];
    const isWhole = new Set(stored).size === 2;
    const reduced =
      isWhole && kind === "avgpool"
        ? context.layer("global_avgpool", [image])
        : context.layer(kind, [image], { kernel });
    if (keeps) return { ...reduced, order: image.order };
    if (!isWhole) context.refuse("it drops one axis of an image", "export it with keepdims=1");
    return context.layer("flatten", [reduced]);
  };

function pixels({ stored }: Feature): readonly [number, number] {
  return [Number(stored[2]), Number(stored[3])];
}

function requireNoDilation(context: NodeContext, dilation: readonly number[]): void {
  if (dilation.every((each) => each === 1)) return;
  context.refuse(`netc's pools have no dilations, and its are [${dilation.join(", ")}]`);
}
