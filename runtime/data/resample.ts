/**
 * Resizing with antialiasing, as Pillow and torchvision do it: a filter, a triangle or another
 * one, that widens with the reduction, applied to rows and then to columns, bytes rounded after
 * each. Of
 * bytes the results are Pillow's, bit for bit: its fixed-point arithmetic is used
 * (resample-bytes.ts). Only what is kept of the result is computed.
 */
import type { Image } from "./dataset.js";
import type { Size } from "./decide.js";
import { fixedPoint, type Filter } from "./fixed-point.js";
import { blankImage, type Rectangle } from "./image.js";
import { bytesAcross, bytesDown } from "./resample-bytes.js";
import { floatsAcross, floatsDown } from "./resample-floats.js";

export interface Resampling {
  /**
   * The part of the image that is resized; what lies around it has no influence. The whole image
   * unless given.
   */
  readonly from?: Rectangle;
  /** What that part measures then. */
  readonly to: Size;
  /** The part of the result that is wanted. All of it unless given. */
  readonly keep?: Rectangle;
  /** A triangle unless given: bilinear. */
  readonly shape?: FilterShape | undefined;
}

/** How much an input counts at a distance from the middle, in steps of the coarser of both. */
export interface FilterShape {
  readonly weigh: (distance: number) => number;
  /** Where nothing counts any more. */
  readonly reach: number;
}

const TRIANGLE: FilterShape = { weigh: (distance) => Math.max(0, 1 - distance), reach: 1 };

/** `image` at another size, in pixels. */
export function resizeImage(image: Image, to: Size): Image {
  return resample(image, { to });
}

/** A part of `image` at another size, or a part of that. */
export function resample(image: Image, { from, to, keep, shape }: Resampling): Image {
  const source = from ?? whole(image);
  const wanted = keep ?? whole(to);
  const across = { source, to, shape };
  if (source.height === to.height) return resampleAcross(image, across, wanted);
  const axis = { inputs: source.height, outputs: to.height };
  const filter = filterFor(axis, { start: wanted.top, length: wanted.height }, shape);
  const narrowed = resampleAcross(image, across, { ...wanted, ...takeRows(filter) });
  return resampleDown(narrowed, filter);
}

const whole = ({ width, height }: Size): Rectangle => ({ left: 0, top: 0, width, height });

/** The rows that a filter reads: no others are narrowed. It then counts from the first of them. */
export function takeRows({ first, count }: Filter): {
  readonly top: number;
  readonly height: number;
} {
  const [top = 0] = first;
  const last = first.length - 1;
  const end = last < 0 ? top : first[last]! + count[last]!;
  first.forEach((row, index) => (first[index] = row - top));
  return { top, height: end - top };
}

/** The filter's outputs from `start` on, `length` of them. */
export function filterFor(
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
  { start, length }: { readonly start: number; readonly length: number },
  { weigh, reach }: FilterShape = TRIANGLE,
): Filter {
  const scale = inputs / outputs;
  const step = Math.max(scale, 1);
  const support = reach * step;
  const span = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Float64Array(length * span);
  for (let output = 0; output < length; output++) {
    const center = (start + output + 0.5) * scale;
    const from = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(inputs, Math.floor(center + support + 0.5));
    let total = 0;
    for (let input = from; input < end; input++) {
      const weight = weigh(Math.abs((input - center + 0.5) * (1 / step)));
      weights[output * span + input - from] = weight;
      total += weight;
    }
    for (let index = 0; index < end - from; index++) weights[output * span + index]! /= total;
    first[output] = from;
    count[output] = end - from;
  }
  return { first, count, weights, span };
}

function copyRows(image: Image, { left, top, width, height }: Rectangle): Image {
  const { channels, pixels } = image;
  const result = blankImage(image, width, height);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    result.pixels.set(pixels.subarray(start, start + width * channels), y * width * channels);
  }
  return result;
}

type Across = Pick<Resampling, "to" | "shape"> & { readonly source: Rectangle };

/** `wanted` has rows of the source, and columns of the result. */
function resampleAcross(image: Image, { source, to, shape }: Across, wanted: Rectangle): Image {
  const { channels, pixels } = image;
  const top = source.top + wanted.top;
  if (source.width === to.width) {
    return copyRows(image, { ...wanted, top, left: source.left + wanted.left });
  }
  const axis = { inputs: source.width, outputs: to.width };
  const filter = filterFor(axis, { start: wanted.left, length: wanted.width }, shape);
  const result = blankImage(image, wanted.width, wanted.height);
  const start = (top * image.width + source.left) * channels;
  const rows = { start, pitch: image.width * channels, channels };
  if (pixels instanceof Uint8Array && result.pixels instanceof Uint8Array) {
    bytesAcross(pixels, clamped(result.pixels), fixedPoint(filter, source.width), rows);
  } else {
    floatsAcross(pixels, result.pixels, filter, rows);
  }
  return result;
}

/** The same bytes, of which none passes 0 and 255: sums of other shapes may. */
const clamped = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Uint8ClampedArray(buffer, byteOffset, length);

/** `image` has the rows that the filter needs, and no others. */
function resampleDown(image: Image, filter: Filter): Image {
  const { pixels } = image;
  const result = blankImage(image, image.width, filter.first.length);
  const length = image.width * image.channels;
  if (pixels instanceof Uint8Array && result.pixels instanceof Uint8Array) {
    bytesDown(pixels, clamped(result.pixels), fixedPoint(filter, image.height), length);
  } else {
    floatsDown(pixels, result.pixels, filter, length);
  }
  return result;
}
