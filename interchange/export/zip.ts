/** Zip files without compression, the same bytes in every run. */
import { crc32 } from "../zip/crc32.js";
import { TooLarge } from "./refusal.js";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** PyTorch maps records into memory at addresses of this alignment. */
const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
const EXTRA_BYTES = 4;
const LARGEST = 0xffff_ffff;
/** For headers and names. */
const ROOM = 1 << 24;

/**
 * Entries as they are, without compression, as PyTorch and Keras keep weights. Throws a TooLarge
 * error beyond 4 GiB, where zip files change their form.
 */
export function storedZip(entries: readonly ZipEntry[], title: string): Uint8Array {
  const sum = entries.reduce((bytes, entry) => bytes + entry.bytes.length, 0);
  if (sum > LARGEST - ROOM) throw new TooLarge(title, { bytes: sum, most: LARGEST });
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const { name, bytes } of entries) {
    const header = at;
    const text = new TextEncoder().encode(name);
    const start = at + LOCAL_BYTES + text.length + EXTRA_BYTES;
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
    const facts = { text, bytes, checksum: crc32(bytes), header };
    add(localHeader(facts, padding));
    add(bytes);
    directory.push(directoryEntry(facts));
  }
  const start = at;
  directory.forEach(add);
  add(endOf({ count: entries.length, start, length: at - start }));
  return joined(parts, at);
}

interface EntryFacts {
  readonly text: Uint8Array;
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly header: number;
}

function localHeader({ text, bytes, checksum }: EntryFacts, padding: number): Uint8Array {
  const header = new Uint8Array(LOCAL_BYTES + text.length + EXTRA_BYTES + padding);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x04034b50, true);
  setCommon(view, 4, { text, bytes, checksum }, EXTRA_BYTES + padding);
  header.set(text, LOCAL_BYTES);
  const extra = LOCAL_BYTES + text.length;
  // An extra field of PyTorch's own, "FB", that only moves what follows.
  view.setUint16(extra, 0x4246, true);
  view.setUint16(extra + 2, padding, true);
  header.fill("Z".charCodeAt(0), extra + EXTRA_BYTES);
  return header;
}

const ENTRY_BYTES = 46;

function directoryEntry({ text, bytes, checksum, header }: EntryFacts): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES + text.length);
  const view = new DataView(entry.buffer);
  view.setUint32(0, 0x02014b50, true);
  setCommon(view, 6, { text, bytes, checksum }, 0);
  view.setUint32(42, header, true);
  entry.set(text, ENTRY_BYTES);
  return entry;
}

/** What both kinds of headers have, from the version that is needed on. */
function setCommon(
  view: DataView,
  at: number,
  { text, bytes, checksum }: Omit<EntryFacts, "header">,
  extra: number,
): void {
  view.setUint16(at + 8, DATE_1980, true);
  view.setUint32(at + 10, checksum, true);
  view.setUint32(at + 14, bytes.length, true);
  view.setUint32(at + 18, bytes.length, true);
  view.setUint16(at + 22, text.length, true);
  view.setUint16(at + 24, extra, true);
}

/** The first of January: the same file in every run. */
const DATE_1980 = (1 << 5) | 1;
const END_BYTES = 22;

function endOf(directory: { count: number; start: number; length: number }): Uint8Array {
  const view = new DataView(new ArrayBuffer(END_BYTES));
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, directory.count, true);
  view.setUint16(10, directory.count, true);
  view.setUint32(12, directory.length, true);
  view.setUint32(16, directory.start, true);
  return new Uint8Array(view.buffer);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
