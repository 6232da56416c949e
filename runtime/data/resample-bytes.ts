/**
 * The loops of resample.ts for bytes, in Pillow's fixed point
 * (https://github.com/python-pillow/Pillow, src/libImaging/Resample.c): weights are rounded to 22
 * bits behind the point, and 32 bits hold any sum of weights that add up to 1 times bytes.
 */
import {
  HALF,
  PRECISION,
  type Across,
  type Bytes,
  type Down,
  type FixedFilter,
  type Rows,
} from "./fixed-point.js";
import { acrossFor, downFor } from "./resample-fast.js";

/** Each row of `target` from one of `pixels`. */
export function bytesAcross(
  pixels: Uint8Array,
  target: Bytes,
  filter: FixedFilter,
  rows: Rows,
): void {
  (acrossFor(rows.channels, filter.taps) ?? channelsAcross)(pixels, target, filter, rows);
}

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

/** Rows of `length` bytes added up to rows of as many. */
export function bytesDown(
  pixels: Uint8Array,
  target: Bytes,
  filter: FixedFilter,
  length: number,
): void {
  (downFor(filter.taps) ?? rowsDown)(pixels, target, filter, length);
}

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
