import type {
  AverageAttributes,
  ConvolutionAttributes,
  MaxPoolAttributes,
  Pair,
  PoolAttributes,
} from "../ir/graph.js";
import { BATCH, imageShape, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
  readonly dilation?: number;
}

type Windows = PoolAttributes & Partial<Pick<ConvolutionAttributes, "dilation">>;

/** How many windows fit along an axis, PyTorch's floor rule. */
function windowCount({ size, kernel, stride, before, after, dilation = 1 }: Axis): number {
  const reach = dilation * (kernel - 1) + 1;
  const count = Math.floor((size + before + after - reach) / stride) + 1;
  ensure(count >= 1, () => `a window of ${reach} does not fit ${size} + ${before} + ${after}`);
  return count;
}

/** Both axes of the windows over an image, rows first. */
export function windowAxes(
  size: { readonly height: number; readonly width: number },
  { kernel, stride, padding, dilation = [1, 1] }: Windows,
): readonly [Axis, Axis] {
  const { top, bottom, left, right } = padding;
  return [
    {
      size: size.height,
      kernel: kernel[0],
      stride: stride[0],
      before: top,
      after: bottom,
      dilation: dilation[0],
    },
    {
      size: size.width,
      kernel: kernel[1],
      stride: stride[1],
      before: left,
      after: right,
      dilation: dilation[1],
    },
  ];
}

/** The spatial size of what windows over x give. */
export function windowedSize(x: Shape, windows: Windows): readonly [number, number] {
  const [rows, columns] = windowAxes(imageShape(x), windows);
  return [windowCount(rows), windowCount(columns)];
}

/** The spatial size of what a maximum over windows gives. */
export const maximaSize = (x: Shape, attributes: MaxPoolAttributes): Pair =>
  attributes.outputSize ?? windowedSize(x, attributes);

/** The rows, or columns, of a window of a maximum: every one in its `kernel`, undefined outside. */
export interface MaximaAxis {
  place(window: number, offset: number): number | undefined;
}

/** Both axes of the windows of a maximum, rows first. */
export function maximaAxes(
  attributes: MaxPoolAttributes,
  size: { readonly height: number; readonly width: number },
): readonly [MaximaAxis, MaximaAxis] {
  const { kernel, stride, padding, dilation = [1, 1], outputSize } = attributes;
  const along = (axis: 0 | 1, extent: number, before: number): MaximaAxis => {
    const windows = outputSize && adaptiveWindows(extent, outputSize[axis]);
    return {
      place(window, offset) {
        const adaptive = windows?.[window];
        const [start, end] = adaptive
          ? [adaptive.start, adaptive.end]
          : [window * stride[axis] - before, extent];
        const place = start + offset * dilation[axis];
        return offset < kernel[axis] && place >= 0 && place < end ? place : undefined;
      },
    };
  };
  return [along(0, size.height, padding.top), along(1, size.width, padding.left)];
}

/** The shape that pooling gives: x's rank is kept, so [N, F] pools to [N, F]. */
export function pooledShape(x: Shape, size: readonly [number, number]): Shape {
  const { channels } = imageShape(x);
  if (x.length === 4) return [BATCH, channels, ...size];
  ensure(size[0] === 1 && size[1] === 1, () => `pooling [N, F] cannot give ${size.join(" x ")}`);
  return [BATCH, channels];
}

/**
 * The elements `start` to `end` of an axis that a window covers, and the axis's share of the
 * divisor.
 */
export interface AverageWindow {
  readonly start: number;
  readonly end: number;
  readonly divisor: number;
}

function adaptiveWindows(size: number, count: number): readonly AverageWindow[] {
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * size) / count);
    const end = Math.ceil(((index + 1) * size) / count);
    return { start, end, divisor: end - start };
  });
}

function slidingWindows(
  axis: Axis,
  divisor: { readonly countPadding: boolean; readonly overhang: number },
): readonly AverageWindow[] {
  const { size, kernel, stride, before, after } = axis;
  return Array.from({ length: windowCount(axis) }, (_, index) => {
    const first = index * stride - before;
    const start = Math.max(first, 0);
    const end = Math.min(first + kernel, size);
    const padded = Math.min(first + kernel, size + after - divisor.overhang) - first;
    return { start, end, divisor: divisor.countPadding ? padded : end - start };
  });
}

/** The windows that averaging takes along rows and along columns. */
export function averageWindows(
  attributes: AverageAttributes,
  size: { readonly height: number; readonly width: number },
): { readonly rows: readonly AverageWindow[]; readonly columns: readonly AverageWindow[] } {
  if (attributes.windows === "adaptive") {
    const [rows, columns] = attributes.outputSize;
    return {
      rows: adaptiveWindows(size.height, rows),
      columns: adaptiveWindows(size.width, columns),
    };
  }
  const [rows, columns] = windowAxes(size, attributes);
  const { countPadding, overhang = { bottom: 0, right: 0 } } = attributes;
  return {
    rows: slidingWindows(rows, { countPadding, overhang: overhang.bottom }),
    columns: slidingWindows(columns, { countPadding, overhang: overhang.right }),
  };
}
