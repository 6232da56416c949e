/** Weights in fewer bits. */
import { roundToHalf } from "../../../program/half.js";
import type { ForeignTensor } from "../../foreign-graph.js";
import { floats } from "../../tensors.js";
import type { NamedTensor } from "../layer-call.js";

export const WEIGHT_TYPES = ["f32", "f16", "u8", "i8"] as const;
export type WeightType = (typeof WEIGHT_TYPES)[number];

export interface CompressedWeight {
  readonly type: "f16" | "u8" | "i8";
  readonly numbers: ForeignTensor;
  /** Of integers: value = (number - zero) * scale, one of each for every output channel. */
  readonly scale?: ForeignTensor;
  readonly zero?: ForeignTensor;
}

export function compressed(
  { shape, values }: NamedTensor,
  type: CompressedWeight["type"],
): CompressedWeight {
  if (type === "f16") return { type, numbers: floats(shape, values.map(finiteHalf)) };
  const channels = shape[0]!;
  const size = values.length / channels;
  const [scale, zero] = [new Float32Array(channels), new Float64Array(channels)];
  const numbers = new Float64Array(values.length);
  for (let channel = 0; channel < channels; channel++) {
    const part = values.subarray(channel * size, (channel + 1) * size);
    const line = type === "i8" ? symmetric(part) : asymmetric(part);
    scale[channel] = line.scale;
    zero[channel] = line.zero;
    part.forEach((value, index) => {
      const number = Math.round(value / line.scale) + line.zero;
      numbers[channel * size + index] = Math.max(line.least, Math.min(line.most, number));
    });
  }
  return {
    type,
    numbers: { kind: "int", shape, values: numbers },
    scale: floats([channels], scale),
    zero: { kind: "int", shape: [channels], values: zero },
  };
}

/** The largest half where a weight is beyond it. */
function finiteHalf(value: number): number {
  const half = roundToHalf(value);
  return Number.isFinite(half) ? half : Math.sign(value) * 65504;
}

interface Line {
  readonly scale: number;
  readonly zero: number;
  readonly least: number;
  readonly most: number;
}

/** -127 to 127, with 0 for 0. */
function symmetric(values: Float32Array): Line {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { scale: Math.fround(largest / 127) || 1, zero: 0, least: -127, most: 127 };
}

/** 0 to 255 from the least to the largest weight, 0 among them. */
function asymmetric(values: Float32Array): Line {
  const least = values.reduce((a, b) => Math.min(a, b), 0);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const scale = Math.fround((most - least) / 255) || 1;
  return { scale, zero: Math.round(-least / scale), least: 0, most: 255 };
}
