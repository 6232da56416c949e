/**
 * Reads zip files, those of 64 bits too. Records that are stored as they are have places in the
 * file, from which parts of gigabytes can be read; others are inflated by fflate, whose reader of
 * whole archives takes them from memory and checks no checksums. See
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.
 */
import { inflateSync } from "fflate";
import { visible } from "../../program/visible.js";
import { decodeText, isInside, type ByteSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";

export interface ZipFile {
  readonly source: ByteSource;
  /** The error of the format that the zip file belongs to, with what is wrong in it. */
  readonly damaged: (why: string) => Error;
}

export interface ZipRecord {
  readonly name: string;
  /** Where its local header begins. */
  readonly header: number;
  /** Bytes in it. */
  readonly size: number;
  /** Bytes that it takes in the file. */
  readonly packed: number;
  readonly checksum: number;
  /** `other` where it is encrypted, or compressed in another way. */
  readonly form: "stored" | "deflated" | "other";
}

const START = [0x50, 0x4b, 0x03, 0x04];

export const isZip = (bytes: Uint8Array) => START.every((byte, index) => bytes[index] === byte);

const END = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_BYTES = 20;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** In a field of 32 or 16 bits: the number is elsewhere, in 64. */
const ELSEWHERE = 0xffffffff;
const LARGEST_DIRECTORY = 64 * 1024 * 1024;

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength);

/**
 * All records by their names. Throws the format's error where the file has no directory, or where
 * its records cannot all be in it.
 */
export function readDirectory(file: ZipFile): ReadonlyMap<string, ZipRecord> {
  const { source, damaged } = file;
  const { start, length } = findDirectory(file);
  if (length > LARGEST_DIRECTORY) throw damaged(`its directory has ${length} bytes`);
  const bytes = readBytes(file, start, length);
  const records = new Map<string, ZipRecord>();
  let total = 0;
  for (let at = 0; at + ENTRY_BYTES <= length;) {
    const { record, next } = readEntry(file, bytes, at);
    if (records.has(record.name)) {
      throw damaged(`it has two records \`${visible(record.name)}\``);
    }
    records.set(record.name, record);
    total += record.packed;
    at = next;
  }
  // Records that do not overlap are no longer than the file.
  if (total > source.size) {
    throw damaged(`its records take ${total} bytes, and it has ${source.size}`);
  }
  return records;
}

function findDirectory(file: ZipFile): { readonly start: number; readonly length: number } {
  const { source, damaged } = file;
  const tailStart = Math.max(0, source.size - END_BYTES - LONGEST_COMMENT);
  const tail = readBytes(file, tailStart, source.size - tailStart);
  const view = viewOf(tail);
  let at = tail.length - END_BYTES;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) throw damaged("its end is missing");
  const wide = findWide(file, view, at);
  if (wide) return wide;
  return { length: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true) };
}

/** The same in 64 bits, where the file has that. */
function findWide(file: ZipFile, tail: DataView, end: number) {
  const at = end - LOCATOR_BYTES;
  if (at < 0 || tail.getUint32(at, true) !== LOCATOR_64) return undefined;
  const record = viewOf(readBytes(file, wideAt(tail, at + 8), 56));
  if (record.getUint32(0, true) !== END_64) {
    throw file.damaged("its directory is not where it says");
  }
  return { length: wideAt(record, 40), start: wideAt(record, 48) };
}

/** An integer of 64 bits; beyond those that are exact, one that no file contains. */
function wideAt(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
}

function readEntry(
  { damaged }: ZipFile,
  bytes: Uint8Array,
  at: number,
): { readonly record: ZipRecord; readonly next: number } {
  const view = viewOf(bytes);
  if (view.getUint32(at, true) !== ENTRY) throw damaged("its directory is broken");
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
    view.getUint16(at + offset, true),
  ) as [number, number, number];
  const extraStart = at + ENTRY_BYTES + nameLength;
  const next = extraStart + extraLength + commentLength;
  if (next > bytes.length) throw damaged("its directory is broken");
  const short = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  const extra = bytes.subarray(extraStart, extraStart + extraLength);
  const [size, packed, header] = widened(short, extra) as [number, number, number];
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  const isEncrypted = (flags & 1) === 1;
  const name = decodeText(bytes.subarray(at + ENTRY_BYTES, extraStart));
  const form = isEncrypted ? "other" : formOf(method, { packed, size });
  const checksum = view.getUint32(at + 16, true);
  return { record: { name, header, size, packed, checksum, form }, next };
}

function formOf(
  method: number,
  { packed, size }: Pick<ZipRecord, "packed" | "size">,
): ZipRecord["form"] {
  if (method === 0 && packed === size) return "stored";
  return method === 8 ? "deflated" : "other";
}

/** Numbers of 32 bits, with those of 64 bits that the extra field has in place of some of them. */
function widened(short: readonly number[], extra: Uint8Array): readonly number[] {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const [tag, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const end = Math.min(extra.length, at + 4 + length);
    let place = at + 4;
    if (tag === 1) {
      return short.map((value) => {
        if (value !== ELSEWHERE || place + 8 > end) return value;
        place += 8;
        return wideAt(view, place - 8);
      });
    }
    at += 4 + length;
  }
  return short;
}

/** Where a record's `packed` bytes begin. Throws the format's error where they are elsewhere. */
export function placeOf(file: ZipFile, { name, header, packed }: ZipRecord): number {
  const local = viewOf(readBytes(file, header, LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL) {
    throw file.damaged(`\`${visible(name)}\` is not where it should be`);
  }
  const start = header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  assertInside(file, start, packed);
  return start;
}

/**
 * The bytes of a record. Throws the format's error for damaged records and, before it takes
 * memory, for those of more than `most` bytes.
 */
export function readRecord(file: ZipFile, record: ZipRecord, most: number): Uint8Array {
  const { size, packed, form } = record;
  const name = visible(record.name);
  if (size > most) throw file.damaged(`\`${name}\` would have ${size} bytes, more than ${most}`);
  if (form === "other") throw file.damaged(`\`${name}\` is compressed in an unknown way`);
  const bytes = readBytes(file, placeOf(file, record), packed);
  const whole = form === "stored" ? bytes : inflated(bytes, size);
  if (!whole) throw file.damaged(`\`${name}\` cannot be decompressed`);
  assertWhole(file, record, whole);
  return whole;
}

/** Undefined where they are not the compressed form of `size` bytes. */
function inflated(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const bytes = inflateSync(packed, { out: new Uint8Array(size) });
    return bytes.length === size ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Throws the format's error where a record's bytes are not those that were written. */
export function assertWhole(
  { damaged }: ZipFile,
  { name, checksum }: ZipRecord,
  bytes: Uint8Array,
): void {
  // PyTorch with `torch.serialization.set_crc32_options(False)` writes none.
  if (checksum === 0) return;
  const found = crc32(bytes);
  if (found === checksum) return;
  throw damaged(`the checksum of \`${visible(name)}\` is ${hex(found)}, not ${hex(checksum)}`);
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

function readBytes(file: ZipFile, start: number, length: number): Uint8Array {
  assertInside(file, start, length);
  const bytes = new Uint8Array(length);
  file.source.readInto(bytes, start);
  return bytes;
}

function assertInside({ source, damaged }: ZipFile, start: number, length: number): void {
  if (isInside(source, start, length)) return;
  throw damaged(`it refers to bytes ${start} to ${start + length}, and has ${source.size}`);
}
