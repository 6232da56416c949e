/**
 * The loops of resample.ts for bytes, in Pillow's fixed point
 * (https://github.com/python-pillow/Pillow, src/libImaging/Resample.c): weights are rounded to 22
 * bits behind the point, and 32 bits hold any sum of weights that add up to 1 times bytes.
 *
 * Photographs are mostly reduced to half their size at most, where three or four inputs count.
 * Loops over so few cost more than what they repeat: there they are written out.
 */
import type { Filter, Rows } from "./resample.js";

const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

/** As many weights for each output, some of them zero, from its first input on. */
export interface FixedFilter {
  readonly first: Int32Array;
  readonly weights: Int32Array;
  readonly taps: number;
}

/** Where two taps are enough, three cost little more. */
const LEAST_TAPS = 3;

/** A filter of this many inputs in fixed point. It reads none beyond the last. */
export function fixedPoint({ first, count, weights, span }: Filter, inputs: number): FixedFilter {
  const most = count.reduce((most, each) => Math.max(most, each), LEAST_TAPS);
  const taps = Math.min(most, inputs);
  const fixed = new Int32Array(first.length * taps);
  const starts = first.map((start, output) => {
    const moved = Math.min(start, inputs - taps);
    for (let tap = 0; tap < count[output]!; tap++) {
      const weight = weights[output * span + tap]! * (1 << PRECISION);
      fixed[output * taps + start - moved + tap] = Math.floor(0.5 + weight);
    }
    return moved;
  });
  return { first: starts, weights: fixed, taps };
}

type Across = (pixels: Uint8Array, target: Uint8Array, filter: FixedFilter, rows: Rows) => void;

/** Each row of `target` from one of `pixels`. */
export function bytesAcross(
  pixels: Uint8Array,
  target: Uint8Array,
  filter: FixedFilter,
  rows: Rows,
): void {
  acrossFor(rows.channels, filter.taps)(pixels, target, filter, rows);
}

function acrossFor(channels: number, taps: number): Across {
  if (channels !== 3) return channelsAcross;
  if (taps === 3) return threeAcross;
  return taps === 4 ? fourAcross : colorsAcross;
}

const weigh3 = (a: number, b: number, c: number, p: number, q: number, r: number) =>
  (HALF + Math.imul(a, p) + Math.imul(b, q) + Math.imul(c, r)) >> PRECISION;

const threeAcross: Across = (pixels, target, { first, weights }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, tap += 3, output += 3) {
      const at = row + first[x]! * 3;
      const p = weights[tap]!;
      const q = weights[tap + 1]!;
      const r = weights[tap + 2]!;
      target[output] = weigh3(pixels[at]!, pixels[at + 3]!, pixels[at + 6]!, p, q, r);
      target[output + 1] = weigh3(pixels[at + 1]!, pixels[at + 4]!, pixels[at + 7]!, p, q, r);
      target[output + 2] = weigh3(pixels[at + 2]!, pixels[at + 5]!, pixels[at + 8]!, p, q, r);
    }
  }
};

const fourAcross: Across = (pixels, target, { first, weights }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, tap += 4, output += 3) {
      const at = row + first[x]! * 3;
      for (let channel = 0; channel < 3; channel++) {
        const input = at + channel;
        target[output + channel] =
          (HALF +
            Math.imul(pixels[input]!, weights[tap]!) +
            Math.imul(pixels[input + 3]!, weights[tap + 1]!) +
            Math.imul(pixels[input + 6]!, weights[tap + 2]!) +
            Math.imul(pixels[input + 9]!, weights[tap + 3]!)) >>
          PRECISION;
      }
    }
  }
};

/** Three channels side by side: a weight is read once for all of them. */
const colorsAcross: Across = (pixels, target, { first, weights, taps }, { start, pitch }) => {
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0, tap = 0; x < first.length; x++, output += 3) {
      let input = row + first[x]! * 3;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (const end = tap + taps; tap < end; tap++, input += 3) {
        const weight = weights[tap]!;
        red = (red + Math.imul(pixels[input]!, weight)) | 0;
        green = (green + Math.imul(pixels[input + 1]!, weight)) | 0;
        blue = (blue + Math.imul(pixels[input + 2]!, weight)) | 0;
      }
      target[output] = red >> PRECISION;
      target[output + 1] = green >> PRECISION;
      target[output + 2] = blue >> PRECISION;
    }
  }
};

const channelsAcross: Across = (pixels, target, { first, weights, taps }, rows) => {
  const { start, pitch, channels } = rows;
  for (let output = 0, row = start; output < target.length; row += pitch) {
    for (let x = 0; x < first.length; x++) {
      for (let channel = 0; channel < channels; channel++, output++) {
        const input = row + first[x]! * channels + channel;
        let sum = HALF;
        for (let tap = 0; tap < taps; tap++) {
          const value = pixels[input + tap * channels]!;
          sum = (sum + Math.imul(value, weights[x * taps + tap]!)) | 0;
        }
        target[output] = sum >> PRECISION;
      }
    }
  }
};

type Down = (pixels: Uint8Array, target: Uint8Array, filter: FixedFilter, length: number) => void;

/** Rows of `length` bytes added up to rows of as many. */
export function bytesDown(
  pixels: Uint8Array,
  target: Uint8Array,
  filter: FixedFilter,
  length: number,
): void {
  downFor(filter.taps)(pixels, target, filter, length);
}

function downFor(taps: number): Down {
  if (taps === 3) return threeDown;
  return taps === 4 ? fourDown : rowsDown;
}

const threeDown: Down = (pixels, target, { first, weights }, length) => {
  for (let y = 0, output = 0; y < first.length; y++) {
    const p = weights[y * 3]!;
    const q = weights[y * 3 + 1]!;
    const r = weights[y * 3 + 2]!;
    let at = first[y]! * length;
    for (const end = at + length; at < end; at++, output++) {
      const below = at + length;
      target[output] = weigh3(pixels[at]!, pixels[below]!, pixels[below + length]!, p, q, r);
    }
  }
};

const fourDown: Down = (pixels, target, { first, weights }, length) => {
  for (let y = 0, output = 0; y < first.length; y++) {
    const p = weights[y * 4]!;
    const q = weights[y * 4 + 1]!;
    const r = weights[y * 4 + 2]!;
    const s = weights[y * 4 + 3]!;
    let at = first[y]! * length;
    for (const end = at + length; at < end; at++, output++) {
      target[output] =
        (HALF +
          Math.imul(pixels[at]!, p) +
          Math.imul(pixels[at + length]!, q) +
          Math.imul(pixels[at + 2 * length]!, r) +
          Math.imul(pixels[at + 3 * length]!, s)) >>
        PRECISION;
    }
  }
};

const rowsDown: Down = (pixels, target, { first, weights, taps }, length) => {
  for (let y = 0, output = 0; y < first.length; y++) {
    const from = y * taps;
    let at = first[y]! * length;
    for (const end = at + length; at < end; at++, output++) {
      let sum = HALF;
      for (let tap = from, input = at; tap < from + taps; tap++, input += length) {
        sum = (sum + Math.imul(pixels[input]!, weights[tap]!)) | 0;
      }
      target[output] = sum >> PRECISION;
    }
  }
};
