/**
 * The directory of a zip file. PyTorch stores its records as they are, in zip64: their places are
 * all that is needed to read any of them from the file. Packages for zip read whole files into
 * memory or are asynchronous, and a spec is checked against its weights in one go. See
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.
 */
import { WeightsError } from "../../runtime/errors.js";
import { assertInside, decodeText, readBytes, type ByteSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";

export interface ZipRecord {
  readonly name: string;
  /** Where its local header begins. */
  readonly header: number;
  /** Bytes in it. */
  readonly size: number;
  readonly checksum: number;
  readonly isStored: boolean;
}

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
 * All records by their names. Throws WeightsError where the file has no directory, or where its
 * records cannot all be in it.
 */
export function readDirectory(source: ByteSource): ReadonlyMap<string, ZipRecord> {
  const { start, length } = findDirectory(source);
  if (length > LARGEST_DIRECTORY) throw damaged(`its directory has ${length} bytes`);
  const bytes = readBytes(source, start, length);
  const records = new Map<string, ZipRecord>();
  let total = 0;
  for (let at = 0; at + ENTRY_BYTES <= length;) {
    const { record, next } = readEntry(bytes, at);
    if (records.has(record.name)) throw damaged(`it has two records \`${record.name}\``);
    records.set(record.name, record);
    total += record.size;
    at = next;
  }
  // Records that are stored as they are and do not overlap are no longer than the file.
  if (total > source.size)
    throw damaged(`its records have ${total} bytes, and it has ${source.size}`);
  return records;
}

function findDirectory(source: ByteSource): { readonly start: number; readonly length: number } {
  const tailStart = Math.max(0, source.size - END_BYTES - LONGEST_COMMENT);
  const tail = readBytes(source, tailStart, source.size - tailStart);
  const view = viewOf(tail);
  let at = tail.length - END_BYTES;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) throw damaged("its end is missing");
  const wide = findWide(source, view, at);
  if (wide) return wide;
  return { length: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true) };
}

/** The same in 64 bits, where the file has that. */
function findWide(source: ByteSource, tail: DataView, end: number) {
  const at = end - LOCATOR_BYTES;
  if (at < 0 || tail.getUint32(at, true) !== LOCATOR_64) return undefined;
  const record = viewOf(readBytes(source, wideAt(tail, at + 8), 56));
  if (record.getUint32(0, true) !== END_64) throw damaged("its directory is not where it says");
  return { length: wideAt(record, 40), start: wideAt(record, 48) };
}

/** An integer of 64 bits; beyond those that are exact, one that no file contains. */
function wideAt(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
}

function readEntry(bytes: Uint8Array, at: number): { record: ZipRecord; next: number } {
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
  const isStored = method === 0 && packed === size && !isEncrypted;
  const checksum = view.getUint32(at + 16, true);
  return { record: { name, header, size, checksum, isStored }, next };
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

/**
 * Where a record's bytes begin. Throws WeightsError where they are compressed or not in the file.
 */
export function startOf(source: ByteSource, { name, header, size, isStored }: ZipRecord): number {
  if (!isStored) {
    throw new WeightsError(
      `\`${name}\` in this file is compressed or encrypted, as torch.save does not write it`,
    );
  }
  const local = viewOf(readBytes(source, header, LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL) throw damaged(`\`${name}\` is not where it should be`);
  const start = header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  assertInside(source, start, size);
  return start;
}

/** Throws WeightsError where a record's bytes are not those that were written. */
export function assertWhole({ name, checksum }: ZipRecord, bytes: Uint8Array): void {
  // With `torch.serialization.set_crc32_options(False)` there is none.
  if (checksum === 0) return;
  const found = crc32(bytes);
  if (found !== checksum) {
    throw damaged(`the checksum of \`${name}\` is ${hex(found)}, not ${hex(checksum)}`);
  }
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

const damaged = (why: string) => new WeightsError(`this PyTorch file is damaged: ${why}`);
