/**
 * The loops of resample.ts for bytes, in Pillow's fixed point (https://github.com/python-pillow/Pillow, src/libImaging/Resample.c): weights
 * are rounded to 22 bits behind the point, and 32 bits hold any sum of weights that add up to 1 times bytes.
 */
import type { Filter, Rows } from "./resample.js";

const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

export function fixedPoint({ weights, ...filter }: Filter): Filter<Int32Array> {
  return {
    ...filter,
    weights: Int32Array.from(weights, (weight) => Math.floor(0.5 + weight * (1 << PRECISION))),
  };
}

/** Each row of `target` from one of `pixels`. */
export function bytesAcross(
  pixels: Uint8Array,
  target: Uint8Array,
  filter: Filter<Int32Array>,
  { start, pitch, channels }: Rows,
): void {
  const length = filter.first.length * channels;
  if (length === 0) return;
  for (let row = 0; row * length < target.length; row++) {
    const place = { from: start + row * pitch, to: row * length };
    if (channels === 3) rowOfColours(pixels, target, filter, place);
    else rowOfChannels(pixels, target, filter, { ...place, channels });
  }
}

interface RowPlace {
  readonly from: number;
  readonly to: number;
}

/** Three channels side by side: a weight is read once for all of them. */
function rowOfColours(
  pixels: Uint8Array,
  target: Uint8Array,
  { first, count, weights, span }: Filter<Int32Array>,
  { from, to }: RowPlace,
): void {
  let output = to;
  for (let x = 0; x < first.length; x++) {
    let input = from + first[x]! * 3;
    let tap = x * span;
    const end = tap + count[x]!;
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    for (; tap < end; tap++) {
      const weight = weights[tap]!;
      red = (red + Math.imul(pixels[input]!, weight)) | 0;
      green = (green + Math.imul(pixels[input + 1]!, weight)) | 0;
      blue = (blue + Math.imul(pixels[input + 2]!, weight)) | 0;
      input += 3;
    }
    target[output] = red >> PRECISION;
    target[output + 1] = green >> PRECISION;
    target[output + 2] = blue >> PRECISION;
    output += 3;
  }
}

function rowOfChannels(
  pixels: Uint8Array,
  target: Uint8Array,
  { first, count, weights, span }: Filter<Int32Array>,
  { from, to, channels }: RowPlace & { readonly channels: number },
): void {
  for (let index = 0; index < first.length * channels; index++) {
    const x = Math.floor(index / channels);
    let input = from + first[x]! * channels + (index % channels);
    let sum = HALF;
    for (let tap = x * span; tap < x * span + count[x]!; tap++) {
      sum = (sum + Math.imul(pixels[input]!, weights[tap]!)) | 0;
      input += channels;
    }
    target[to + index] = sum >> PRECISION;
  }
}

/** Rows of `length` bytes added up to rows of as many, four at a time. */
export function bytesDown(
  pixels: Uint8Array,
  target: Uint8Array,
  { first, count, weights, span }: Filter<Int32Array>,
  length: number,
): void {
  const sums = new Int32Array(length);
  for (let y = 0; y < first.length; y++) {
    sums.fill(HALF);
    // Weights beyond the count are zero; a row that is there stands for those that are not.
    for (let tap = 0; tap < count[y]!; tap += 4) {
      const place = (offset: number) => Math.min(tap + offset, count[y]! - 1) + first[y]!;
      const weight = (offset: number) =>
        tap + offset < count[y]! ? weights[y * span + tap + offset]! : 0;
      addRows(
        sums,
        pixels,
        [0, 1, 2, 3].map((offset) => place(offset) * length),
        [weight(0), weight(1), weight(2), weight(3)],
      );
    }
    const output = y * length;
    for (let index = 0; index < length; index++) target[output + index] = sums[index]! >> PRECISION;
  }
}

function addRows(
  sums: Int32Array,
  pixels: Uint8Array,
  starts: readonly number[],
  weights: readonly number[],
): void {
  const [a, b, c, d] = starts as [number, number, number, number];
  const [p, q, r, s] = weights as [number, number, number, number];
  for (let index = 0; index < sums.length; index++) {
    sums[index] =
      (sums[index]! +
        Math.imul(pixels[a + index]!, p) +
        Math.imul(pixels[b + index]!, q) +
        Math.imul(pixels[c + index]!, r) +
        Math.imul(pixels[d + index]!, s)) |
      0;
  }
}
