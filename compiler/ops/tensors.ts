import { BATCH, isSequence, type Shape } from "../ir/shape.js";
import type { Tensor } from "./op.js";

/** The shape with the batch axis replaced by a number. */
export function resolveShape(shape: Shape, batch: number): readonly number[] {
  return shape.map((size) => (size === BATCH ? batch : Number(size)));
}

/** A sequence's shape as that of an image with one row: `[N, T, C]` as `[N, C, 1, T]`. */
export function asImageShape(shape: Shape): Shape {
  return isSequence(shape) ? [BATCH, shape[2]!, 1, shape[1]!] : shape;
}

/** The tensor of a value, with sequences as images of one row. */
export function asImage(shape: Shape, tensor: Tensor): Tensor {
  if (!isSequence(shape)) return tensor;
  const [images, tokens, channels] = tensor.shape as readonly [number, number, number];
  const data = transposed(tensor.data, images, [tokens, channels]);
  return { shape: [images, channels, 1, tokens], data };
}

/** The inverse of `asImage`. */
export function fromImage(shape: Shape, tensor: Tensor): Tensor {
  if (!isSequence(shape)) return tensor;
  const [images, channels, , tokens] = tensor.shape as readonly [number, number, number, number];
  const data = transposed(tensor.data, images, [channels, tokens]);
  return { shape: [images, tokens, channels], data };
}

/** Rows and columns of each image exchanged. */
function transposed(
  data: Tensor["data"],
  images: number,
  [rows, columns]: readonly [number, number],
): Tensor["data"] {
  const result = data.slice();
  for (let image = 0; image < images; image++) {
    const start = image * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++)
        result[start + column * rows + row] = data[start + row * columns + column]!;
    }
  }
  return result;
}

export function tensorSize(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Sums are kept in double precision until they are stored. */
export function zeros(shape: readonly number[]): Tensor & { readonly data: Float64Array } {
  return { shape, data: new Float64Array(tensorSize(shape)) };
}

/**
 * What a kernel would store: sums as f32, unless an input has double precision, as in gradient
 * checks, where finite differences would drown in f32's rounding.
 */
export function stored(result: Tensor, inputs: readonly Tensor[]): Tensor {
  const { shape, data } = result;
  if (!(data instanceof Float64Array)) return result;
  const precise = inputs.some((input) => input.data instanceof Float64Array);
  return precise ? result : { shape, data: Float32Array.from(data) };
}

export interface ImageSizes {
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** height * width. */
  readonly pixels: number;
}

/** The axes of an activation; [N, F] is F channels of a single pixel. */
export function imageSizes(shape: readonly number[]): ImageSizes {
  const [images = 1, channels = 1, height = 1, width = 1] = shape;
  return { images, channels, height, width, pixels: height * width };
}
