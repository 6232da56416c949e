import type { Padding, Pair } from "../ir/graph.js";
import type { ImageShape } from "../ir/shape.js";

/** How a window slides over an image. */
export interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
}

export const NO_DILATION: Pair = [1, 1];

/** Elements that the window spans, holes of dilation included. */
export function spanOf({ kernel, dilation }: Windows): Pair {
  return [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];
}

/** The image's size with its padding. */
export function paddedSize({ height, width }: ImageShape, { padding }: Windows): Pair {
  return [height + padding.top + padding.bottom, width + padding.left + padding.right];
}

/**
 * PyTorch's output size: floor((size + padding - span) / stride) + 1; 0 or less where the window
 * does not fit.
 */
export function floorOutput(image: ImageShape, windows: Windows): Pair {
  const [height, width] = paddedSize(image, windows);
  const [spanHeight, spanWidth] = spanOf(windows);
  return [
    Math.floor((height - spanHeight) / windows.stride[0]) + 1,
    Math.floor((width - spanWidth) / windows.stride[1]) + 1,
  ];
}

/**
 * PyTorch's output size with `ceil_mode`: the division rounds up, but the last window must start
 * inside the image or its left padding (aten/src/ATen/native/Pool.h).
 */
export function ceilOutput(image: ImageShape, windows: Windows): Pair {
  const [height, width] = paddedSize(image, windows);
  const [spanHeight, spanWidth] = spanOf(windows);
  const { padding, stride } = windows;
  return [
    ceilLength(height, spanHeight, stride[0], image.height + padding.top),
    ceilLength(width, spanWidth, stride[1], image.width + padding.left),
  ];
}

function ceilLength(padded: number, span: number, stride: number, end: number): number {
  const length = Math.ceil((padded - span) / stride) + 1;
  return (length - 1) * stride >= end ? length - 1 : length;
}

/**
 * Rows and columns that the last windows reach beyond the padding at the bottom and at the right.
 */
export function overhangOf(
  image: ImageShape,
  windows: Windows,
  output: Pair,
): { bottom: number; right: number } {
  const [height, width] = paddedSize(image, windows);
  const [spanHeight, spanWidth] = spanOf(windows);
  const { stride } = windows;
  return {
    bottom: Math.max(0, (output[0] - 1) * stride[0] + spanHeight - height),
    right: Math.max(0, (output[1] - 1) * stride[1] + spanWidth - width),
  };
}
