/**
 * The safetensors format: 8 bytes of header length (little endian), a JSON header padded with
 * spaces to a multiple of 8, then the tensors' bytes without gaps. See
 * https://github.com/huggingface/safetensors#format.
 */
import { floatsOf } from "../program/half.js";
import { WeightsError } from "./errors.js";
import { assertUndamaged } from "./tensor-checksum.js";

/** A tensor of a weights file: its type, shape and bytes. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A parsed weights file: tensors and metadata. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

type Place = readonly [buffer: ArrayBufferLike, byteOffset: number, length: number];

/** How wide numbers of a type are, and what they are as f32, from their place in memory. */
export type NumberType = readonly [width: number, floats: (...place: Place) => Float32Array];

export const NUMBER_TYPES: ReadonlyMap<string, NumberType> = new Map<string, NumberType>([
  ["F32", [4, (...place) => new Float32Array(...place)]],
  ["F64", [8, (...place) => Float32Array.from(new Float64Array(...place))]],
  ["F16", [2, (...place) => floatsOf(new Uint16Array(...place))]],
  ["BF16", [2, (...place) => brainFloatsOf(new Uint16Array(...place))]],
  ["I64", [8, (...place) => Float32Array.from(new BigInt64Array(...place), Number)]],
]);

const brainFloatsOf = (bits: Uint16Array) =>
  new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);

/** In the metadata of files whose weights are integers with a scale (small-weights.ts). */
export const QUANTIZATION = "quantization";

/** The reference implementation's limit. */
export const MAXIMUM_HEADER = 100_000_000;

/** Gives the bytes of a tensor an offset that is a multiple of its numbers' width. */
export type Align = (part: Uint8Array, width: number) => Uint8Array;

/** Gives tensors a copy of their bytes. */
export const copied: Align = (part) => part.slice();

/** Gives tensors views of bytes that nothing else changes, where they are aligned. */
export const viewed: Align = (part, width) => (part.byteOffset % width === 0 ? part : part.slice());

/** Reads a whole file; see `parseTensors`. */
export function readTensors(plain: Uint8Array, align: Align, types = NUMBER_TYPES): TensorFile {
  const { header, data } = splitFile(plain);
  const { __metadata__: metadata, ...entries } = header;
  const tensors = new Map<string, Tensor>();
  const ends: [begin: number, end: number][] = [];
  for (const [name, value] of Object.entries(entries)) {
    const { shape, dtype, data_offsets: range } = checkEntry(name, value, data.length, types);
    const [width, floats] = types.get(dtype)!;
    ends.push([...range]);
    const { buffer, byteOffset, byteLength } = align(data.subarray(...range), width);
    tensors.set(name, { name, shape, values: floats(buffer, byteOffset, byteLength / width) });
  }
  assertNoGaps(ends, data.length);
  assertUndamaged(plain, plain.length - data.length);
  return { tensors, metadata: checkMetadata(metadata) };
}

/** The shapes of tensors by name, from a file's header and the length of its data. */
export function shapesOf(
  header: Record<string, unknown>,
  available: number,
  types = NUMBER_TYPES,
): Map<string, readonly number[]> {
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  const checked = entries.map(([name, value]) => checkEntry(name, value, available, types));
  return new Map(entries.map(([name], index) => [name, checked[index]!.shape]));
}

export function splitFile(bytes: Uint8Array): {
  header: Record<string, unknown>;
  data: Uint8Array;
} {
  if (bytes.length < 8) throw foreign(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length < 2 || length > MAXIMUM_HEADER || bytes[8] !== "{".charCodeAt(0)) {
    throw foreign("it does not start with a header");
  }
  if (8 + length > bytes.length) {
    throw truncated(`its header ends at byte ${8 + length}, the file at ${bytes.length}`);
  }
  return { header: parseHeader(bytes.subarray(8, 8 + length)), data: bytes.subarray(8 + length) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice());
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw foreign(`its header is not valid JSON: ${(error as Error).message}`);
  }
}

export function checkEntry(
  name: string,
  value: unknown,
  available: number,
  types = NUMBER_TYPES,
): HeaderEntry {
  if (!isEntry(value)) throw foreign(`its entry for \`${name}\` has no dtype, shape and offsets`);
  const [begin, end] = value.data_offsets;
  const [width] = types.get(value.dtype) ?? [];
  if (width === undefined) {
    const known = [...types.keys()].join(", ");
    throw new WeightsError(`tensor \`${name}\` has type ${value.dtype}: expected one of ${known}`);
  }
  const expected = value.shape.reduce((product, extent) => product * extent, width);
  if (end - begin !== expected) {
    const shape = `[${value.shape.join(", ")}]`;
    throw foreign(
      `tensor \`${name}\` of shape ${shape} takes ${expected} bytes, not ${end - begin}`,
    );
  }
  if (end > available) {
    throw truncated(`tensor \`${name}\` ends at byte ${end} of the data, which has ${available}`);
  }
  return value;
}

function isEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<string, unknown>>;
  return typeof dtype === "string" && isSizes(shape) && isSizes(offsets) && offsets.length === 2;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The format wants every byte of the data to belong to exactly one tensor. */
function assertNoGaps(ranges: [begin: number, end: number][], length: number): void {
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let reached = 0;
  for (const [begin, end] of ranges) {
    if (begin !== reached) throw foreign(`its tensors overlap or leave a gap at byte ${reached}`);
    reached = end;
  }
  if (reached !== length) throw foreign(`${length - reached} bytes follow its last tensor`);
}

/** Whether a file has weights that are integers with a scale, by its header. */
export const isSmall = ({ __metadata__: metadata }: Record<string, unknown>): boolean =>
  QUANTIZATION in Object(metadata);

export function checkMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  const valid =
    typeof metadata === "object" &&
    metadata !== null &&
    Object.values(metadata).every((value) => typeof value === "string");
  if (!valid) throw foreign("its metadata is not a record of strings");
  return metadata as Record<string, string>;
}

function foreign(reason: string): WeightsError {
  return new WeightsError(`this is not a valid safetensors file: ${reason}`);
}

function truncated(reason: string): WeightsError {
  return new WeightsError(`this safetensors file is truncated: ${reason}`);
}
