/**
 * Small weights: safetensors files in which a weight is integers with a scale and an offset for
 * each output channel. docs/reference/small-weights.md is the format, and
 * interchange/weights/shrink.ts writes it. Weights become f32 here, before they are uploaded: the
 * kernels of a module read f32.
 */
import { WeightsError } from "./errors.js";
import {
  checkMetadata,
  NUMBER_TYPES,
  QUANTIZATION,
  readTensors,
  shapesOf,
  type Align,
  type NumberType,
  type Tensor,
  type TensorFile,
} from "./tensor-file.js";

/** The version of the format that is read and written. */
export const QUANTIZATION_VERSION = 1;

/** Integers of 8 bits, or of 4, two in a byte. */
export type IntegerForm = "u8" | "u4";

/** What the metadata say of a weight: how it is stored, and its shape. */
export interface QuantizedEntry {
  readonly as: IntegerForm;
  readonly shape: readonly number[];
}

/** The names of the tensors with the scale and the offset of each output channel. */
export const scaleName = (name: string): string => `${name}.scale`;
export const offsetName = (name: string): string => `${name}.offset`;

/** As `sizeOf` of tensors.ts, an import of which would split the first file that pages load. */
const sizeOf = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

/** Numbers of an output channel; channels are the first axis. */
export const rowSize = (shape: readonly number[]): number => sizeOf(shape.slice(1));

/** The shape of the bytes that hold a weight: each output channel begins with a whole byte. */
export const storedShape = ({ as, shape }: QuantizedEntry): readonly number[] =>
  as === "u8" ? shape : [shape[0]!, Math.ceil(rowSize(shape) / 2)];

/** Reads a small file, its weights as f32. Throws WeightsError as `readTensors` does. */
export function readSmallWeights(plain: Uint8Array, align: Align): TensorFile {
  const integers = new Set<Float32Array>();
  const types = typesWith((...place) => {
    const floats = Float32Array.from(new Uint8Array(...place));
    integers.add(floats);
    return floats;
  });
  const { tensors: stored, metadata } = readTensors(plain, align, types);
  const tensors = new Map(stored);
  for (const [name, entry] of entriesOf(metadata)) {
    const parts = partsOf(stored, name, entry);
    if (!integers.delete(parts.integers)) throw broken(name, "its numbers are not of type U8");
    tensors.set(name, { name, shape: entry.shape, values: expand(entry, parts) });
    for (const side of [scaleName(name), offsetName(name)]) tensors.delete(side);
  }
  const [unexplained] = [...stored.values()].filter(({ values }) => integers.has(values));
  if (unexplained) throw broken(unexplained.name, "its metadata do not say what its integers mean");
  return { tensors, metadata };
}

/** The shapes of the weights, from the header alone; see `shapesOf`. */
export function smallShapes(
  header: Record<string, unknown>,
  available: number,
): Map<string, readonly number[]> {
  const shapes = shapesOf(
    header,
    available,
    typesWith(() => new Float32Array()),
  );
  for (const [name, { shape }] of entriesOf(checkMetadata(header["__metadata__"]))) {
    shapes.set(name, shape);
    for (const side of [scaleName(name), offsetName(name)]) shapes.delete(side);
  }
  return shapes;
}

const typesWith = (floats: NumberType[1]) =>
  new Map<string, NumberType>([...NUMBER_TYPES, ["U8", [1, floats]]]);

/** What the metadata say of each weight. Throws WeightsError for anything that netc cannot read. */
function entriesOf(
  metadata: Readonly<Record<string, string>>,
): readonly (readonly [name: string, entry: QuantizedEntry])[] {
  const { version, tensors } = quantizationOf(metadata[QUANTIZATION]!);
  if (version !== QUANTIZATION_VERSION) {
    throw new WeightsError(
      `these small weights have format ${String(version)}, and this netc reads ` +
        `${QUANTIZATION_VERSION}: use the netc that wrote them, or write them again`,
    );
  }
  const entries = Object.entries(Object(tensors) as Record<string, unknown>);
  return entries.map(([name, entry]) => {
    if (isEntry(entry)) return [name, entry];
    throw broken(name, `its metadata say \`${JSON.stringify(entry)}\`, not { as, shape }`);
  });
}

function quantizationOf(text: string): { readonly version?: unknown; readonly tensors?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    throw new WeightsError(`the file's \`${QUANTIZATION}\` is not JSON`);
  }
}

function isEntry(entry: unknown): entry is QuantizedEntry {
  const { as, shape } = Object(entry) as Partial<Record<string, unknown>>;
  const isShape =
    Array.isArray(shape) &&
    shape.length > 1 &&
    shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  return (as === "u8" || as === "u4") && isShape;
}

interface Parts {
  /** As they are stored: a byte each. */
  readonly integers: Float32Array;
  readonly scale: Float32Array;
  readonly offset: Float32Array;
}

/** The tensors of a weight. Throws WeightsError where one is missing or has another shape. */
function partsOf(stored: ReadonlyMap<string, Tensor>, name: string, entry: QuantizedEntry): Parts {
  const find = (part: string, wanted: readonly number[]): Float32Array => {
    const tensor = stored.get(part);
    if (!tensor) throw broken(name, `\`${part}\` is not in the file`);
    if (String(tensor.shape) === String(wanted)) return tensor.values;
    throw broken(name, `\`${part}\` is [${tensor.shape.join(", ")}], not [${wanted.join(", ")}]`);
  };
  const channels = [entry.shape[0]!];
  return {
    integers: find(name, storedShape(entry)),
    scale: find(scaleName(name), channels),
    offset: find(offsetName(name), channels),
  };
}

/** `integer * scale + offset`. Bytes are replaced by their weights where they are as many. */
function expand({ as, shape }: QuantizedEntry, { integers, scale, offset }: Parts): Float32Array {
  const size = rowSize(shape);
  const stored = as === "u8" ? size : Math.ceil(size / 2);
  const values = as === "u8" ? integers : new Float32Array(sizeOf(shape));
  for (let channel = 0; channel < shape[0]!; channel++) {
    const [by, from] = [scale[channel]!, offset[channel]!];
    const [row, source] = [channel * size, channel * stored];
    for (let index = 0; index < size; index++) {
      const integer =
        as === "u8"
          ? integers[source + index]!
          : (integers[source + (index >> 1)]! >> (4 * (index & 1))) & 15;
      values[row + index] = integer * by + from;
    }
  }
  return values;
}

const broken = (name: string, reason: string): WeightsError =>
  new WeightsError(`these small weights are broken: \`${name}\`: ${reason}`);
