/**
 * Bilinear resizing with antialiasing, as Pillow and torchvision do it: a triangle filter that widens with the
 * reduction, applied to rows and then to columns, bytes rounded after each. The results are Pillow's but for rare
 * differences of 1 in a byte, where its fixed-point coefficients round the other way.
 */
import type { Image } from "./dataset.js";
import { blankImage } from "./image.js";

/** For each output position, the first input that counts and the weights from there on. */
interface Filter {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `span` weights for each output. */
  readonly weights: Float64Array;
  readonly span: number;
}

/** `image` at another size, in pixels. */
export function resizeImage(image: Image, size: { width: number; height: number }): Image {
  const narrowed = image.width === size.width ? image : resizeRows(image, size.width);
  return narrowed.height === size.height ? narrowed : resizeColumns(narrowed, size.height);
}

function triangleFilter(inputs: number, outputs: number): Filter {
  const scale = inputs / outputs;
  const support = Math.max(scale, 1);
  const span = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Float64Array(outputs * span);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(inputs, Math.floor(centre + support + 0.5));
    let total = 0;
    for (let input = start; input < end; input++) {
      const weight = Math.max(0, 1 - Math.abs((input + 0.5 - centre) / support));
      weights[output * span + input - start] = weight;
      total += weight;
    }
    for (let index = 0; index < end - start; index++) weights[output * span + index]! /= total;
    first[output] = start;
    count[output] = end - start;
  }
  return { first, count, weights, span };
}

function resizeRows(image: Image, width: number): Image {
  const result = blankImage(image, width, image.height);
  const filter = triangleFilter(image.width, width);
  for (let channel = 0; channel < image.channels; channel++) {
    for (let y = 0; y < image.height; y++) resizeRow(image, result, filter, { y, channel });
  }
  return result;
}

function resizeRow(
  image: Image,
  result: Image,
  { first, count, weights, span }: Filter,
  { y, channel }: { readonly y: number; readonly channel: number },
): void {
  const { channels, pixels } = image;
  const { width, pixels: target } = result;
  const rounding = roundingOf(result);
  const row = y * image.width * channels + channel;
  for (let x = 0; x < width; x++) {
    let sum = rounding;
    let position = row + first[x]! * channels;
    const end = x * span + count[x]!;
    for (let tap = x * span; tap < end; tap++) {
      sum += pixels[position]! * weights[tap]!;
      position += channels;
    }
    target[(y * width + x) * channels + channel] = sum;
  }
}

/** Whole rows are added up, so that memory is read in its order. */
function resizeColumns(image: Image, height: number): Image {
  const result = blankImage(image, image.width, height);
  const { first, count, weights, span } = triangleFilter(image.height, height);
  const length = image.width * image.channels;
  const sums = new Float64Array(length);
  for (let y = 0; y < height; y++) {
    sums.fill(roundingOf(result));
    for (let tap = 0; tap < count[y]!; tap++) {
      addRow(sums, image.pixels, (first[y]! + tap) * length, weights[y * span + tap]!);
    }
    for (let index = 0; index < length; index++) result.pixels[y * length + index] = sums[index]!;
  }
  return result;
}

function addRow(sums: Float64Array, pixels: Image["pixels"], start: number, weight: number): void {
  for (let index = 0; index < sums.length; index++) {
    sums[index]! += pixels[start + index]! * weight;
  }
}

/** Storing into bytes truncates; a mean of bytes, with weights that sum to 1, cannot leave their range. */
function roundingOf({ pixels }: Image): number {
  return pixels instanceof Uint8Array ? 0.5 : 0;
}
