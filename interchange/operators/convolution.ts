import { formatShape } from "../../compiler/ir/shape.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { channelsOf, type Feature, type Known, shapeOf } from "../known.js";
import { inStoredOrder, type NodeContext } from "../node-context.js";
import { reshaped, scaled, transposed, turnedMatrices } from "../tensors.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { pairOf, windowOf } from "./windows.js";

/** `Conv`: input, weights `[out, in/groups, kh, kw]`, bias. */
export function conv(context: NodeContext): Known {
  const image = requireImage(context);
  const weight = context.constant(1, "weight");
  if (weight.shape.length !== 4) context.refuse(notAnImage(weight));
  const [out, , height, width] = weight.shape as [number, number, number, number];
  const groups = context.attributes.number("group", 1);
  const { kernel, ...window } = windowOf(context, image, [height, width]);
  requireChannels(context, weight.shape[1]! * groups, Number(image.stored[1]));
  const bias = context.optionalConstant(2, "bias");
  return context.layer(
    "conv",
    [image],
    { out, kernel, ...window, groups, bias: bias !== undefined },
    { tensors: withoutUndefined({ weight, bias: bias && reshaped(bias, [out]) }) },
  );
}

/** `ConvTranspose`: input, weights `[in, out/groups, kh, kw]`, bias. */
export function convTranspose(context: NodeContext): Known {
  const { attributes } = context;
  const image = requireImage(context);
  const weight = context.constant(1, "weight");
  if (weight.shape.length !== 4) context.refuse(notAnImage(weight));
  const [inputs, perGroup, height, width] = weight.shape as [number, number, number, number];
  requireChannels(context, inputs, Number(image.stored[1]));
  const groups = attributes.number("group", 1);
  const extra = attributes.numbers("output_padding") ?? [0, 0];
  const shape = pairOf(context, "output_shape");
  const bias = context.optionalConstant(2, "bias");
  if (shape || !["NOTSET", "VALID"].includes(attributes.text("auto_pad", "NOTSET"))) {
    context.refuse(
      "its padding follows from a wanted output size",
      "export it with explicit `pads` and `output_padding`",
    );
  }
  const { kernel, stride, dilation, padding } = windowOf(context, image, [height, width]);
  const { top, bottom, left, right } = padding;
  // What is removed more at the end than at the start is output padding with a minus.
  const more = [extra[0]! + top - bottom, extra[1]! + left - right] as const;
  if (more.some((each, axis) => each < 0 || each >= Math.max(stride[axis]!, 2))) {
    context.refuse(`its pads [${[top, left, bottom, right].join(", ")}] differ by side`);
  }
  const values = {
    out: perGroup * groups,
    kernel,
    stride,
    padding: [top, left],
    dilation,
    groups,
    output_padding: more,
    bias: bias !== undefined,
  };
  const tensors = withoutUndefined({ weight, bias });
  return context.layer("conv_transpose", [image], values, { tensors });
}

/**
 * `Gemm`: alpha * A * B + beta * C, of which B and C are weights and A is a row for each example.
 */
export function gemm(context: NodeContext): Known {
  const { attributes } = context;
  if (attributes.flag("transA", false)) context.refuse("it transposes its input");
  const given = context.constant(1, "weight");
  const weight = attributes.flag("transB", false) ? given : transposedMatrix(context, given);
  const bias = context.optionalConstant(2, "bias");
  const alpha = attributes.number("alpha", 1);
  return linear(context, scaled(weight, alpha), bias && scaled(bias, attributes.number("beta", 1)));
}

/** `MatMul` of features and a weight `[in, out]`, or of the matrices of two values. */
export function matMul(context: NodeContext): Known {
  const [left, right] = context.inputs;
  if (left?.is !== "feature") context.refuse("its first input is not a row for each example");
  if (right?.is === "feature") return product(context, left, right);
  return linear(context, transposedMatrix(context, context.constant(1, "weight")), undefined);
}

/** Of the matrices of each example, which are the last two axes. */
function product(context: NodeContext, left: Feature, right: Feature): Known {
  const [rank, other] = [left.stored.length, right.stored.length];
  if (rank < 3 || other !== rank) {
    const [a, b] = [left, right].map((value) => formatShape(shapeOf(value)));
    context.refuse(`it multiplies ${a} with ${b}`, "matrices of as many axes, at least 3");
  }
  const { order } = right;
  const isTurned = order.as === "axes" && order.axes.join() === turnedMatrices(rank).join();
  const values = isTurned ? { transposed: true } : {};
  const factors = [context.asStored(left), isTurned ? right : context.asStored(right)];
  return context.layer("matmul", factors, values);
}

function transposedMatrix(context: NodeContext, weight: ForeignTensor): ForeignTensor {
  if (weight.shape.length === 2) return transposed(weight, [1, 0]);
  return context.refuse(`its weight [${weight.shape.join(", ")}] is not a matrix`);
}

/** @param weight `[out, in]`, with its inputs in the order that the foreign graph has */
function linear(
  context: NodeContext,
  weight: ForeignTensor,
  bias: ForeignTensor | undefined,
): Known {
  const rows = context.feature(0);
  const last = rows.stored.length - 1;
  if (last === 3) return pointwise(context, context.channelsAt(rows, last), weight, bias);
  const x = context.channelsAt(rows, last);
  const [out, features] = weight.shape as [number, number];
  requireChannels(context, features, channelsOf(x));
  const tensors = withoutUndefined({
    weight: inStoredOrder(weight, 1, x.order),
    bias: bias && spreadBias(context, bias, out),
  });
  return context.layer("linear", [x], { out, bias: bias !== undefined }, { tensors });
}

/** Of an image turned to `[N, H, W, C]`: the same for each pixel, a convolution of kernel 1. */
function pointwise(
  context: NodeContext,
  image: Feature,
  weight: ForeignTensor,
  bias: ForeignTensor | undefined,
): Known {
  const [out, channels] = weight.shape as [number, number];
  requireChannels(context, channels, Number(image.stored[1]));
  const tensors = withoutUndefined({
    weight: reshaped(weight, [out, channels, 1, 1]),
    bias: bias && spreadBias(context, bias, out),
  });
  const values = { out, kernel: [1, 1], bias: bias !== undefined };
  return { ...context.layer("conv", [image], values, { tensors }), order: image.order };
}

/** One number for all outputs, or one for each. */
function spreadBias(context: NodeContext, bias: ForeignTensor, out: number): ForeignTensor {
  const { values, shape } = bias;
  if (values.length === 1) {
    return { ...bias, shape: [out], values: new Float32Array(out).fill(values[0]!) };
  }
  if (values.length === out && shape.at(-1) === out) return reshaped(bias, [out]);
  return context.refuse(`its bias [${shape.join(", ")}] differs by example`);
}

export function requireImage(context: NodeContext) {
  const image = context.stored(0);
  if (image.stored.length === 4) return image;
  return context.refuse(
    `its input [${image.stored.join(", ")}] is not an image`,
    "netc's windows slide over [N, C, H, W]",
  );
}

const notAnImage = ({ shape }: ForeignTensor) =>
  `its weight [${shape.join(", ")}] is not that of an image, [out, in, kh, kw]`;

function requireChannels(context: NodeContext, expected: number, actual: number): void {
  if (expected === actual) return;
  context.refuse(`its weight is for ${expected} channels, and its input has ${actual}`);
}
