import type { Pair, PoolAttributes } from "../ir/graph.js";
import { BATCH, type ImageShape, imageShape, type Shape } from "../ir/shape.js";
import { boolean, padding, pair } from "../calls/argument-types.js";
import { type ArgumentValues, optional, required, withDefault } from "../calls/signature.js";
import type { InferenceContext } from "./layer.js";
import { requireFit, requireImage, warnOfGaps } from "./rules.js";
import { ceilOutput, floorOutput, NO_DILATION, overhangOf, type Windows } from "./windows.js";

/** What maxpool and avgpool share. */
/** A note on pools of ONNX and Flax. */
export const STRIDE_OF_ONE =
  "without a stride, ONNX and Flax move the window by 1, netc (as PyTorch) by the kernel";

export const poolingArguments = {
  kernel: required(pair({ minimum: 1 }), "size of the window"),
  stride: optional(
    pair({ minimum: 1 }),
    "step from one window to the next; the kernel if left out",
  ),
  padding: withDefault(
    padding(),
    { top: 0, bottom: 0, left: 0, right: 0 },
    "elements around the image, at most half of the kernel",
  ),
  ceil: withDefault(boolean(), false, "whether a last, incomplete window counts"),
};

export type PoolingValues = ArgumentValues<typeof poolingArguments> & {
  /** Of a maximum. */
  readonly dilation?: Pair;
};

function windowsOf({ kernel, stride, padding, dilation = NO_DILATION }: PoolingValues): Windows {
  return { kernel, stride: stride ?? kernel, padding, dilation };
}

function outputSize(image: ImageShape, values: PoolingValues) {
  return values.ceil ? ceilOutput(image, windowsOf(values)) : floorOutput(image, windowsOf(values));
}

/** The shape rule of both pooling layers. */
export function inferPooling(
  input: Shape,
  values: PoolingValues,
  context: InferenceContext,
): Shape | undefined {
  const image = requireImage(input, context);
  if (!image) return undefined;
  checkPadding(values, context);
  const output = outputSize(image, values);
  // With `ceil` a window may be larger than the image: it counts once it starts inside.
  if (Math.min(...output) < 1 && !requireFit(image, windowsOf(values), context)) return undefined;
  warnOfGaps(image, windowsOf(values), context);
  return [BATCH, image.channels, ...output];
}

/**
 * PyTorch's rule: a window that lies in the padding altogether would have nothing to choose from.
 */
function checkPadding(values: PoolingValues, context: InferenceContext): void {
  const { kernel, padding } = values;
  const [height, width] = [
    Math.max(padding.top, padding.bottom),
    Math.max(padding.left, padding.right),
  ];
  const axis = height > kernel[0] / 2 ? 0 : 1;
  const [given, most] = [[height, width][axis]!, Math.floor(kernel[axis] / 2)];
  if (given <= most) return;
  const half = `half of its kernel of ${kernel[axis]}`;
  context.report("NET2006", {
    message: `${context.title}: padding ${given} is more than ${half}`,
    at: "padding",
    label: `at most ${most}`,
    fixes: [context.replaceArgument("padding", `padding=${most}`, `write \`padding=${most}\``)],
  });
}

/** The op's geometry. What `ceil` adds becomes padding at the bottom and the right. */
export function poolGeometry(input: Shape, values: PoolingValues) {
  const image = imageShape(input);
  const windows = windowsOf(values);
  const overhang = overhangOf(image, windows, outputSize(image, values));
  const { top, bottom, left, right } = values.padding;
  const padding = { top, left, bottom: bottom + overhang.bottom, right: right + overhang.right };
  const attributes: PoolAttributes = { kernel: windows.kernel, stride: windows.stride, padding };
  return { attributes, overhang: overhang.bottom + overhang.right > 0 ? overhang : undefined };
}
