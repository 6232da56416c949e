/** Small files of weights: docs/reference/small-weights.md is their format. */
import { halvesOf, LARGEST_HALF } from "../../program/half.js";
import { WeightsError } from "../../runtime/errors.js";
import {
  offsetName,
  QUANTIZATION_VERSION,
  scaleName,
  type QuantizedEntry,
} from "../../runtime/small-weights.js";
import { QUANTIZATION, type Tensor } from "../../runtime/tensor-file.js";
import { assertMeasuredFile } from "../../runtime/measured-file.js";
import { AVERAGE_PREFIX, OPTIMIZER_PREFIX } from "../../runtime/weights.js";
import type { TypedTensor } from "../../runtime/write-tensors.js";
import { quantize } from "./quantize.js";

/** How weights are stored, the largest first. */
export const FORMS = ["f32", "f16", "u8", "u4"] as const;
export type Form = (typeof FORMS)[number];

/** Tensors of fewer numbers stay f32: their scales would take much of what is saved. */
const FEWEST_NUMBERS = 1024;

/** How a tensor was stored. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly as: Form;
  /** With its scales and offsets. */
  readonly bytes: number;
  /** Why it is f32 although something smaller was asked for. */
  readonly kept?: string;
  /** Output channels with integers symmetric about 0; the others are affine. */
  readonly symmetric?: number;
}

export interface SmallFile {
  readonly tensors: readonly TypedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly stored: readonly StoredTensor[];
}

/** Why a tensor stays f32 whatever is asked for; undefined where it does not. */
export function reasonToKeep({ shape, values }: Tensor): string | undefined {
  if (shape.length < 2) return "one number a channel (biases, normalization)";
  return values.length < FEWEST_NUMBERS ? `under ${FEWEST_NUMBERS} numbers` : undefined;
}

/** Weights with the form that `formOf` says for each. Throws WeightsError for wrong weights. */
export function shrink(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
  formOf: (tensor: Tensor) => Form,
): SmallFile {
  const names = new Set(tensors.map(({ name }) => name));
  const parts = tensors.map((tensor) => storedAs(tensor, formOf(tensor)));
  const entries = parts.flatMap(({ stored: { name }, entry }) =>
    entry ? [[name, entry] as const] : [],
  );
  for (const [name] of entries) {
    const taken = [scaleName(name), offsetName(name)].find((side) => names.has(side));
    if (taken) throw new WeightsError(`\`${taken}\` is where the scales of \`${name}\` would be`);
  }
  const quantization = { version: QUANTIZATION_VERSION, tensors: Object.fromEntries(entries) };
  const said = entries.length > 0 && { [QUANTIZATION]: JSON.stringify(quantization) };
  return {
    // Wide numbers first, so that they are aligned in the file.
    tensors: parts.flatMap((each) => each.tensors).toSorted((a, b) => widthOf(b) - widthOf(a)),
    metadata: { ...metadata, ...said },
    stored: parts.map(({ stored }) => stored),
  };
}

const widthOf = ({ dtype }: TypedTensor): number => ({ U8: 1, F16: 2 })[dtype ?? ""] ?? 4;

interface Part {
  readonly tensors: readonly TypedTensor[];
  readonly stored: StoredTensor;
  /** Of integers. */
  readonly entry?: QuantizedEntry;
}

function storedAs(tensor: Tensor, as: Form): Part {
  const kept = as === "f32" ? undefined : reasonToKeep(tensor);
  if (as === "f32" || kept !== undefined) return asFloats(tensor, kept);
  return as === "f16" ? asHalves(tensor) : asIntegers(tensor, as);
}

function asFloats(tensor: Tensor, kept: string | undefined): Part {
  const { name, shape, values } = tensor;
  const stored = { name, shape, as: "f32", bytes: values.byteLength } as const;
  return { tensors: [tensor], stored: kept === undefined ? stored : { ...stored, kept } };
}

function asHalves(tensor: Tensor): Part {
  const { name, shape } = tensor;
  if (tensor.values.some((value) => Math.abs(value) > LARGEST_HALF)) {
    return asFloats(tensor, "numbers too large for f16");
  }
  const values = halvesOf(tensor.values);
  const stored = { name, shape, as: "f16", bytes: values.byteLength } as const;
  return { tensors: [{ name, shape, dtype: "F16", values }], stored };
}

function asIntegers(tensor: Tensor, as: QuantizedEntry["as"]): Part {
  const { name, shape } = tensor;
  const quantized = quantize(tensor, as);
  const { bytes, scale, offset, symmetric } = quantized;
  const channels = [scale.length];
  return {
    tensors: [
      { name, shape: quantized.shape, dtype: "U8", values: bytes },
      { name: scaleName(name), shape: channels, values: scale },
      { name: offsetName(name), shape: channels, values: offset },
    ],
    entry: { as, shape },
    stored: { name, shape, as, bytes: bytes.length + 8 * scale.length, symmetric },
  };
}

/** Weights of a file without what only training needs. */
export interface PlainWeights {
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What was left out, or replaced, for the user. */
  readonly notes: readonly string[];
}

/** What a file says of the run that it was written in, and of the file itself. */
const OF_TRAINING = [
  ...["checksum", "step", "seed", "phase", "since", "loss_scale"],
  ...["training", "plan", "batch", "examples", "measured"],
];

/**
 * A checkpoint's weights, or their averages where it has some, as `save` writes them. Throws
 * WeightsError where averages have no running statistics yet.
 */
export function withoutTraining(
  all: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): PlainWeights {
  assertMeasuredFile(metadata);
  const names = [...all.keys()];
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix));
  const kept = names.filter((name) => !/^(optimizer|average)\./.test(name));
  const notes = [
    ...(has(OPTIMIZER_PREFIX) ? ["left out: the optimizer's state, which training needs"] : []),
    ...(has(AVERAGE_PREFIX) ? ["the averages of the weights are taken, as in evaluations"] : []),
  ];
  return {
    tensors: kept.map((name) => {
      const { shape, values } = all.get(AVERAGE_PREFIX + name) ?? all.get(name)!;
      return { name, shape, values };
    }),
    metadata: Object.fromEntries(
      Object.entries(metadata).filter(([key]) => !OF_TRAINING.includes(key)),
    ),
    notes,
  };
}
