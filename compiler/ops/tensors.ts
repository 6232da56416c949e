import { BATCH, type Shape } from "../ir/shape.js";
import type { Tensor } from "./op.js";

/** The shape with the batch axis replaced by a number. */
export function resolveShape(shape: Shape, batch: number): readonly number[] {
  return shape.map((size) => (size === BATCH ? batch : size));
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
