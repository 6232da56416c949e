/** Weights as integers with a scale and an offset for each output channel. */
import { rowSize, storedShape, type IntegerForm } from "../../runtime/small-weights.js";
import type { Tensor } from "../../runtime/tensor-file.js";

/** `integer * scale + offset` is the weight. */
interface Line {
  readonly scale: number;
  readonly offset: number;
  /** The integers that are used: `least` to `most`. */
  readonly least: number;
  readonly most: number;
}

export interface Quantized {
  readonly bytes: Uint8Array;
  /** The shape of the bytes. */
  readonly shape: readonly number[];
  /** One for each output channel. */
  readonly scale: Float32Array;
  readonly offset: Float32Array;
  /** Output channels whose integers are symmetric about 0. */
  readonly symmetric: number;
}

const BITS: Readonly<Record<IntegerForm, number>> = { u8: 8, u4: 4 };

/**
 * Shares of the range of a channel's weights that its integers cover. The outermost weights move to
 * the end of a smaller range, and all others become more exact: with 16 integers that often pays.
 */
const SHARES: Readonly<Record<IntegerForm, readonly number[]>> = {
  u8: [1],
  u4: [1, 0.9, 0.8, 0.7, 0.6],
};

/** Finite weights, each output channel as the line with the least sum of squared errors. */
export function quantize({ shape, values }: Tensor, as: IntegerForm): Quantized {
  const [channels, size] = [shape[0]!, rowSize(shape)];
  const [scale, offset] = [new Float32Array(channels), new Float32Array(channels)];
  const integers = new Uint8Array(values.length);
  let symmetric = 0;
  for (let channel = 0; channel < channels; channel++) {
    const row = values.subarray(channel * size, (channel + 1) * size);
    const line = bestLine(row, as);
    [scale[channel], offset[channel]] = [line.scale, line.offset];
    symmetric += Number(line.least === 1);
    for (let index = 0; index < size; index++) {
      integers[channel * size + index] = integerOf(row[index]!, line);
    }
  }
  const bytes = as === "u8" ? integers : packed(integers, channels, size);
  return { bytes, shape: storedShape({ as, shape }), scale, offset, symmetric };
}

function bestLine(row: Float32Array, as: IntegerForm): Line {
  const [least, most] = rangeOf(row);
  const lines = SHARES[as].flatMap((share) => [
    symmetricLine(Math.max(-least, most) * share, BITS[as]),
    affineLine(least, most, { share, bits: BITS[as] }),
  ]);
  const errors = lines.map((line) => squaredError(row, line));
  return lines[errors.indexOf(Math.min(...errors.filter(Number.isFinite)))]!;
}

function rangeOf(row: Float32Array): readonly [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of row) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return row.length > 0 ? [least, most] : [0, 0];
}

/** The middle integer is 0, and the least is not used, so that both sides are as long. */
function symmetricLine(largest: number, bits: number): Line {
  const middle = 2 ** (bits - 1);
  const scale = Math.fround(largest / (middle - 1));
  return { scale, offset: Math.fround(-middle * scale), least: 1, most: 2 * middle - 1 };
}

/** All integers, over a share of the range about its middle. */
function affineLine(
  least: number,
  most: number,
  { share, bits }: { readonly share: number; readonly bits: number },
): Line {
  const integers = 2 ** bits - 1;
  const margin = ((most - least) * (1 - share)) / 2;
  const scale = Math.fround((most - least - 2 * margin) / integers);
  return { scale, offset: Math.fround(least + margin), least: 0, most: integers };
}

function squaredError(row: Float32Array, line: Line): number {
  const { scale, offset } = line;
  let sum = 0;
  for (let index = 0; index < row.length; index++) {
    const error = integerOf(row[index]!, line) * scale + offset - row[index]!;
    sum += error * error;
  }
  return sum;
}

/** The nearest integer; where all weights are one number, the least, whose weight is the offset. */
function integerOf(value: number, { scale, offset, least, most }: Line): number {
  if (scale === 0) return least;
  const integer = Math.round((value - offset) / scale);
  return integer < least ? least : integer > most ? most : integer;
}

/** Two integers of 4 bits in a byte, the first in its lower half; rows begin with a whole byte. */
function packed(integers: Uint8Array, channels: number, size: number): Uint8Array {
  const stored = Math.ceil(size / 2);
  const bytes = new Uint8Array(channels * stored);
  for (let channel = 0; channel < channels; channel++) {
    for (let index = 0; index < size; index++) {
      bytes[channel * stored + (index >> 1)]! |=
        integers[channel * size + index]! << (4 * (index & 1));
    }
  }
  return bytes;
}
