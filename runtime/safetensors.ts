/**
 * The safetensors format: 8 bytes of header length (little endian), a JSON header padded with spaces to a multiple of
 * 8, then the tensors' bytes without gaps. See https://github.com/huggingface/safetensors#format.
 */
import { murmur3 } from "./checksum.js";
import { describe } from "./describe.js";
import { InputError, WeightsError } from "./errors.js";
import { roundUp } from "./layout.js";

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
const MAXIMUM_HEADER = 100_000_000;

/** Where a file that `serializeTensors` wrote has its checksum. */
const CHECKSUM_PREFIX = '{"__metadata__":{"checksum":"';
const CHECKSUM_DIGITS = 16;
const NO_CHECKSUM = "0".repeat(CHECKSUM_DIGITS);

/** Writes tensors, in order, as f32, with a checksum of the whole file in its metadata. */
export function serializeTensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const others = Object.entries(metadata).filter(([name]) => name !== "checksum");
  const own = objectText([["checksum", NO_CHECKSUM], ...others]);
  const header: [name: string, entry: unknown][] = [];
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const begin = end;
    end += values.length * 4;
    header.push([name, { dtype: "F32", shape, data_offsets: [begin, end] }]);
  }
  const entries = objectText(header).slice(1, -1);
  const all = `{"__metadata__":${own}${entries && `,${entries}`}}`;
  const text = new TextEncoder().encode(all);
  const headerLength = roundUp(text.length, 8);
  const bytes = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let offset = 8 + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  const checksum = checksumOf(bytes, 8 + headerLength);
  bytes.set(new TextEncoder().encode(checksum), 8 + CHECKSUM_PREFIX.length);
  return bytes;
}

/** A JSON object with its members in this order; an object of JavaScript puts numbers first. */
function objectText(members: readonly (readonly [name: string, value: unknown])[]): string {
  const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${texts.join(",")}}`;
}

/**
 * Of a file whose data begin at `start`: of its header, with zeros in place of it, and its data.
 */
function checksumOf(bytes: Uint8Array, start: number): string {
  const header = bytes.slice(0, start);
  header.fill(0x30, 8 + CHECKSUM_PREFIX.length, 8 + CHECKSUM_PREFIX.length + CHECKSUM_DIGITS);
  const hashes = [murmur3(header), murmur3(bytes.subarray(start))];
  return hashes.map((hash) => hash.toString(16).padStart(8, "0")).join("");
}

/**
 * Throws WeightsError where a file's content is not that of its checksum. Files without one, and
 * those that another program has written anew, are taken as they are.
 */
function assertUndamaged(bytes: Uint8Array, start: number): void {
  const from = 8 + CHECKSUM_PREFIX.length;
  const text = new TextDecoder().decode(bytes.subarray(8, from + CHECKSUM_DIGITS));
  if (!text.startsWith(CHECKSUM_PREFIX)) return;
  const [stated, found] = [text.slice(CHECKSUM_PREFIX.length), checksumOf(bytes, start)];
  if (stated === found) return;
  throw new WeightsError(
    `this file is damaged: its checksum is ${found}, and it was written with ${stated}`,
  );
}

/**
 * Reads a file of F32, F64, F16, BF16 or I64 tensors (PyTorch counts batches in those); all come out as f32. Throws WeightsError with the reason for a
 * truncated or foreign file.
 */
export function parseTensors(bytes: Uint8Array | ArrayBuffer): TensorFile {
  const plain = viewOf(bytes);
  const { header, data } = splitFile(plain);
  const { __metadata__: metadata, ...entries } = header;
  const tensors = new Map<string, Tensor>();
  const ends: [begin: number, end: number][] = [];
  for (const [name, value] of Object.entries(entries)) {
    const entry = checkEntry(name, value, data.length);
    ends.push([...entry.data_offsets]);
    tensors.set(name, { name, shape: entry.shape, values: decode(entry, data) });
  }
  assertNoGaps(ends, data.length);
  assertUndamaged(plain, plain.length - data.length);
  return { tensors, metadata: checkMetadata(metadata) };
}

/** A plain view of what may be a Node Buffer, whose `slice` shares its memory instead of copying. */
function viewOf(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  // By name: a frame's ArrayBuffer is of another class than the page's.
  const kind = Object.prototype.toString.call(bytes);
  if (/ArrayBuffer\]$/.test(kind)) return new Uint8Array(bytes);
  throw new InputError(
    `weights must be the bytes of a file, a Uint8Array or an ArrayBuffer, not ${describe(bytes)}`,
  );
}

/** The metadata of a file, from its header alone; `read` as for `readShapes`. */
export function readMetadata(
  read: (start: number, length: number) => Uint8Array,
): Readonly<Record<string, string>> {
  return checkMetadata(readHeader(read).header["__metadata__"]);
}

/**
 * The shapes of a file's tensors, by name, from its header alone. `read` gives bytes of the file, of `size` bytes. Throws WeightsError as
 * `parseTensors` does.
 */
export function readShapes(
  read: (start: number, length: number) => Uint8Array,
  size: number,
): ReadonlyMap<string, readonly number[]> {
  const { header, length } = readHeader(read);
  const available = size - 8 - length;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(entries.map(([name, value]) => [name, checkEntry(name, value, available).shape]));
}

function readHeader(read: (start: number, length: number) => Uint8Array) {
  const start = read(0, 8);
  const length =
    start.length < 8 ? 0 : Number(new DataView(start.slice().buffer).getBigUint64(0, true));
  // Of a foreign file not even that much: its first bytes may mean anything.
  const head = read(0, length > MAXIMUM_HEADER ? RECOGNIZED_BYTES : 8 + length);
  return { header: splitFile(head.slice()).header, length };
}

function splitFile(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
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

/** Bytes from which other kinds of files can be told. */
const RECOGNIZED_BYTES = 100;

const PICKLE =
  "a PyTorch file: convert it with `safetensors.torch.save_file(torch.load(FILE), NEW_FILE)`";

const PAGE =
  "a web page: the address leads to a page about the file, or needs a login; download it again";

/** What is often taken for weights, by the characters that such files begin with. */
const OTHER_KINDS: readonly (readonly [starts: readonly string[], kind: string])[] = [
  [["<!doctype", "<html", "<?xml", "<!--", "<head"], PAGE],
  [
    ["version https://git-lfs"],
    "a Git LFS pointer, which stands for the file: run `git lfs pull`, or download the file itself",
  ],
  [["pk\u0003\u0004", "\u0080\u0002", "\u0080\u0003", "\u0080\u0004", "\u0080\u0005"], PICKLE],
  [["\u0089hdf"], "an HDF5 file, such as Keras writes"],
  [["\u0093numpy"], "a NumPy file"],
  [["gguf"], "a GGUF file"],
  [["\u001f\u008b"], "compressed: run `gunzip` on it"],
];

/** What else a file is that has no header; undefined where nobody can tell. */
function otherKind(bytes: Uint8Array): WeightsError | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, RECOGNIZED_BYTES));
  // Pages may begin with a byte order mark, here one character a byte, and with space.
  const start = text.replace("\u00ef\u00bb\u00bf", "").trimStart().toLowerCase();
  const known = OTHER_KINDS.find(([starts]) => starts.some((each) => start.startsWith(each)));
  return known && new WeightsError(`weights must be a safetensors file, and this is ${known[1]}`);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice());
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw foreign(`its header is no JSON: ${(error as Error).message}`);
  }
}

function checkEntry(name: string, value: unknown, available: number): HeaderEntry {
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

function checkMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  const valid =
    typeof metadata === "object" &&
    metadata !== null &&
    Object.values(metadata).every((value) => typeof value === "string");
  if (!valid) throw foreign("its metadata is no record of strings");
  return metadata as Record<string, string>;
}

const WIDTHS: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2, I64: 8 };

function decode(
  { dtype, data_offsets: [begin, end] }: HeaderEntry,
  data: Uint8Array,
): Float32Array {
  // A copy, because the tensors of a file may lie at any byte.
  const { buffer } = data.slice(begin, end);
  switch (dtype) {
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case "BF16":
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer,
      );
    default:
      return new Float32Array(buffer);
  }
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function foreign(reason: string): WeightsError {
  return new WeightsError(`this is not a valid safetensors file: ${reason}`);
}

function truncated(reason: string): WeightsError {
  return new WeightsError(`this safetensors file is truncated: ${reason}`);
}
