import { axisNames } from "../../compiler/layers/channel-parts.js";
import { axesOf, shapeOf, type Feature, type Known } from "../known.js";
import { axisOf, type NodeContext } from "../node-context.js";
import { requireImage } from "./convolution.js";
import { reshapedTo } from "./shapes.js";
import { windowOf } from "./windows.js";

/** `MaxPool`. Padding never wins. */
export function maxPool(context: NodeContext): Known {
  const image = requireImage(context);
  const { attributes } = context;
  attributes.ignore("storage_order");
  if (context.node.outputs.length > 1) context.refuse("it also returns where its maxima are");
  const { dilation, ...window } = windowOf(context, image);
  const holes = dilation.some((step) => step > 1) ? { dilation } : {};
  return context.layer("maxpool", [image], {
    ...window,
    ...holes,
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

/** `ReduceMean` and `ReduceMax` over rows, columns or both, or over axes of a sequence. */
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
    if (!axes?.length) context.refuse("it reduces all axes, and the batch stays");
    const order = axesOf(image);
    const stored = axes.map((axis) => order[axisOf(axis, rank)]!);
    if (rank === 3) return reducedSequence(context, kind, stored, keeps);
    if (rank !== 4 || !stored.every((axis) => axis >= 2)) {
      return reduceTo(kind === "avgpool" ? "mean" : "max")(context);
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

/** A reduction over named axes, which stay with one element unless the file drops them. */
export const reduceTo =
  (kind: "sum" | "mean" | "max" | "min" | "logsumexp") =>
  (context: NodeContext): Known => {
    const { attributes } = context;
    const given = context.feature(0);
    const x = given.order.as === "features" ? context.asStored(given) : given;
    const named = attributes.numbers("axes");
    const axes = named ?? (context.has(1) ? context.integers(1, "axes") : undefined);
    const keeps = attributes.flag("keepdims", true);
    attributes.ignore("noop_with_empty_axes");
    if (!axes?.length) context.refuse("it reduces all axes, and the batch stays");
    const reduced = axes.map((axis) => axisOf(axis, x.stored.length));
    if (reduced.includes(0)) context.refuse("it reduces the batch");
    const names = axisNames(x.stored);
    const over = reduced.map((axis) => names[axesOf(x)[axis]! - 1]!);
    const layer = { ...context.layer(kind, [x], { over }), order: x.order };
    if (keeps) return layer;
    const left = shapeOf(layer).filter((_, axis) => !reduced.includes(axis));
    if (left.length < 2) {
      context.refuse("it leaves one number for each example", "export it with keepdims=1");
    }
    return reshapedTo(context, layer, left);
  };

/** Tokens, channels or both of a sequence. */
function reducedSequence(
  context: NodeContext,
  kind: "avgpool" | "maxpool",
  axes: readonly number[],
  keeps: boolean,
): Known {
  const x = context.feature(0);
  const isReduced = (axis: number) => axes.includes(axis);
  const left = axesOf(x).filter((axis) => keeps || !isReduced(axis));
  const shape = left.slice(1).map((axis) => (isReduced(axis) ? 1 : Number(x.stored[axis])));
  if (isReduced(0) || shape.length === 0) {
    context.refuse("it leaves one number for each example", "export it with keepdims=1");
  }
  const isMeanOfTokens = kind === "avgpool" && axes.join() === "1";
  if (!isMeanOfTokens) {
    // The tokens are the rows of an image of one channel, the channels its columns.
    const sizes = x.stored.slice(1);
    const image = context.layer("reshape", [x], { shape: [1, ...sizes] });
    const kernel = sizes.map((size, index) => (isReduced(index + 1) ? Number(size) : 1));
    return context.layer("reshape", [context.layer(kind, [image], { kernel })], { shape });
  }
  const means = context.layer("global_avgpool", [x]);
  return shape.length === 1 ? means : context.layer("reshape", [means], { shape });
}

function pixels({ stored }: Feature): readonly [number, number] {
  return [Number(stored[2]), Number(stored[3])];
}

function requireNoDilation(context: NodeContext, dilation: readonly number[]): void {
  if (dilation.every((each) => each === 1)) return;
  context.refuse(`netc's averages have no dilations, and its are [${dilation.join(", ")}]`);
}
