/**
 * The safetensors format: 8 bytes of header length (little endian), a JSON header padded with
 * spaces to a multiple of 8, then the tensors' bytes without gaps. See
 * https://github.com/huggingface/safetensors#format.
 */
import { floatsOf } from "../program/half.js";
import { WeightsError } from "./errors.js";
import { otherKind } from "./foreign-files.js";
import { assertUndamaged } from "./tensor-checksum.js";

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

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

/** The reference implementation's limit. */
export const MAXIMUM_HEADER = 100_000_000;

/** Gives the bytes of a tensor an offset that is a multiple of its numbers' width. */
export type Align = (part: Uint8Array, width: number) => Uint8Array;

/** Gives tensors a copy of their bytes. */
export const copied: Align = (part) => part.slice();

/** Gives tensors views of bytes that nothing else changes, where they are aligned. */
export const viewed: Align = (part, width) => (part.byteOffset % width === 0 ? part : part.slice());

/** Reads a whole file; see `parseTensors`. */
export function readTensors(plain: Uint8Array, align: Align): TensorFile {
  const { header, data } = splitFile(plain);
  const { __metadata__: metadata, ...entries } = header;
  const tensors = new Map<string, Tensor>();
  const ends: [begin: number, end: number][] = [];
  for (const [name, value] of Object.entries(entries)) {
    const entry = checkEntry(name, value, data.length);
    ends.push([...entry.data_offsets]);
    tensors.set(name, { name, shape: entry.shape, values: decode(entry, data, align) });
  }
  assertNoGaps(ends, data.length);
  assertUndamaged(plain, plain.length - data.length);
  return { tensors, metadata: checkMetadata(metadata) };
}

export function splitFile(bytes: Uint8Array): {
  header: Record<string, unknown>;
  data: Uint8Array;
} {
  if (bytes.length < 8) throw otherKind(bytes) ?? foreign(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length < 2 || length > MAXIMUM_HEADER || bytes[8] !== "{".charCodeAt(0)) {
    throw otherKind(bytes) ?? foreign("it does not start with a header");
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

export function checkEntry(name: string, value: unknown, available: number): HeaderEntry {
  if (!isEntry(value)) throw foreign(`its entry for \`${name}\` has no dtype, shape and offsets`);
  const [begin, end] = value.data_offsets;
  const width = WIDTHS[value.dtype];
  if (width === undefined) {
    const known = Object.keys(WIDTHS).join(", ");
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

export function checkMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  const valid =
    typeof metadata === "object" &&
    metadata !== null &&
    Object.values(metadata).every((value) => typeof value === "string");
  if (!valid) throw foreign("its metadata is not a record of strings");
  return metadata as Record<string, string>;
}

const WIDTHS: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2, I64: 8 };

function decode(
  { dtype, data_offsets: [begin, end] }: HeaderEntry,
  data: Uint8Array,
  align: Align,
): Float32Array {
  const width = WIDTHS[dtype]!;
  const { buffer, byteOffset, byteLength } = align(data.subarray(begin, end), width);
  const numbers = [buffer, byteOffset, byteLength / width] as const;
  switch (dtype) {
    case "F64":
      return Float32Array.from(new Float64Array(...numbers));
    case "I64":
      return Float32Array.from(new BigInt64Array(...numbers), Number);
    case "F16":
      return floatsOf(new Uint16Array(...numbers));
    case "BF16":
      return new Float32Array(
        Uint32Array.from(new Uint16Array(...numbers), (half) => half << 16).buffer,
      );
    default:
      return new Float32Array(...numbers);
  }
}

function foreign(reason: string): WeightsError {
  return new WeightsError(`this is not a valid safetensors file: ${reason}`);
}

function truncated(reason: string): WeightsError {
  return new WeightsError(`this safetensors file is truncated: ${reason}`);
}
