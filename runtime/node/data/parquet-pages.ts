/**
 * Checks of Parquet's pages before the library decodes them: it allocates, and loops over, as many
 * values as pages say, and a run of too many ends the process.
 * https://parquet.apache.org/docs/file-format/data-pages/
 */
import type { ColumnMetaData, Compressors } from "hyparquet";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";

/** A column of a row group, without lists in it. */
export interface PageColumn {
  /** What the file says of it. */
  readonly meta: ColumnMetaData;
  /** Parts of its path that may be missing: the levels that say which have this many bits. */
  readonly optionalParts: number;
}

interface Reader {
  readonly view: DataView;
  offset: number;
}

/** Of a page, as far as it counts here. */
interface PageHeader {
  readonly kind: "first version" | "second version" | "dictionary";
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly values: number;
  /** Bytes of levels in front of the values, which no codec compresses. */
  readonly levelBytes: number;
  readonly hasDictionary: boolean;
  readonly isCompressed: boolean;
}

/** Checks pages; what it has to decompress for that, it keeps for the library. */
export class PageChecker {
  private readonly kept = new WeakMap<ArrayBufferLike, Map<number, Uint8Array>>();

  constructor(private readonly codecs: Compressors) {}

  /** The codecs, for the library: of pages that were checked the results are known. */
  compressors(): Compressors {
    const wrapped = Object.entries(this.codecs).map(([name, decompress]) => [
      name,
      (input: Uint8Array, length: number) => this.take(input) ?? decompress(input, length),
    ]);
    return Object.fromEntries(wrapped) as Compressors;
  }

  private take(input: Uint8Array): Uint8Array | undefined {
    const pages = this.kept.get(input.buffer);
    const page = pages?.get(input.byteOffset);
    pages?.delete(input.byteOffset);
    return page;
  }

  /** Throws an Error where a page is truncated, or holds more than its column. */
  check(bytes: ArrayBuffer, { meta, optionalParts }: PageColumn): void {
    const reader = { view: new DataView(bytes), offset: 0 };
    const most = Number(meta.num_values);
    let values = 0;
    while (values < most && reader.offset < bytes.byteLength - 1) {
      const page = readHeader(reader);
      if (page.kind !== "dictionary") values += page.values;
      if (page.compressedBytes > bytes.byteLength - reader.offset) {
        throw new Error("a page reaches beyond its column");
      }
      if (page.uncompressedBytes > MOST_BYTES + MOST_RATIO * page.compressedBytes) {
        throw new Error("a page says that it is larger than what it holds");
      }
      if (values > most) throw new Error(`its pages have ${values} values, its column ${most}`);
      const content = new Uint8Array(bytes, reader.offset, page.compressedBytes);
      if (page.kind !== "dictionary") this.checkContent(content, page, { meta, optionalParts });
      reader.offset += page.compressedBytes;
    }
  }

  private checkContent(
    content: Uint8Array,
    page: PageHeader,
    { meta, optionalParts }: PageColumn,
  ): void {
    const { levelBytes } = page;
    if (levelBytes > content.length) throw new Error("a page is shorter than its levels");
    const levels = readerOf(content.subarray(0, levelBytes));
    const body = this.decompress(content.subarray(levelBytes), page, meta);
    const values = readerOf(body);
    const bits = bitsOf(optionalParts);
    if (bits > 0 && page.kind === "second version") checkRuns(levels, bits, page.values);
    if (bits > 0 && page.kind === "first version") {
      const end = values.view.getUint32(0, true) + 4;
      values.offset = 4;
      checkRuns(values, bits, page.values);
      values.offset = end;
    }
    if (page.hasDictionary && values.offset < body.length) {
      checkRuns(values, values.view.getUint8(values.offset++), page.values);
    }
  }

  private decompress(content: Uint8Array, page: PageHeader, { codec }: ColumnMetaData): Uint8Array {
    const isNeeded = page.kind === "first version" || page.hasDictionary;
    if (codec === "UNCOMPRESSED" || !page.isCompressed || !isNeeded) return content;
    const decompress = this.codecs[codec];
    if (!decompress) return content;
    const body = decompress(content, page.uncompressedBytes - page.levelBytes);
    const pages = this.kept.get(content.buffer) ?? new Map<number, Uint8Array>();
    this.kept.set(content.buffer, pages.set(content.byteOffset, body));
    return body;
  }
}

/** What a page may measure, and how many times its compressed size in addition. */
const MOST_BYTES = 2 ** 26;
const MOST_RATIO = 5000;

const readerOf = (bytes: Uint8Array): Reader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0,
});

const bitsOf = (most: number) => 32 - Math.clz32(most);

/**
 * Throws an Error where a run, of equal values or of packed ones of some bits each, is longer than
 * what is left of `values`.
 */
function checkRuns(reader: Reader, bits: number, values: number): void {
  if (bits > 32) throw new Error("a page has values of too many bits");
  for (let seen = 0; seen < values && reader.offset < reader.view.byteLength;) {
    const header = readNumber(reader);
    const isPacked = header % 2 === 1;
    const count = Math.floor(header / 2) * (isPacked ? 8 : 1);
    seen += count;
    reader.offset += Math.ceil((isPacked ? bits * count : bits) / 8);
    if (seen > values + (isPacked ? MOST_PADDING : 0)) {
      throw new Error("a page has a run of too many values");
    }
  }
}

/** Packed values that writers may add at the end: more than the seven of a byte. */
const MOST_PADDING = 512;

/** A number of seven bits a byte. Throws an Error where it does not end. */
function readNumber(reader: Reader): number {
  let number = 0;
  for (let place = 1; place < 2 ** 35; place *= 2 ** 7) {
    const byte = reader.view.getUint8(reader.offset++);
    number += (byte & 0x7f) * place;
    if (byte < 0x80) return number;
  }
  throw new Error("a page has a number that does not end");
}

type ThriftStruct = Readonly<Record<string, unknown>>;

function readHeader(reader: Reader): PageHeader {
  const header = deserializeTCompactProtocol(reader) as ThriftStruct;
  const sizes = {
    uncompressedBytes: count(header["field_2"]),
    compressedBytes: count(header["field_3"]),
  };
  if (header["field_1"] === DATA_PAGE) return { ...sizes, ...firstVersion(header["field_5"]) };
  if (header["field_1"] === DATA_PAGE_V2) return { ...sizes, ...secondVersion(header["field_8"]) };
  if (header["field_1"] === DICTIONARY_PAGE) {
    return { ...sizes, ...dictionary(header["field_7"], sizes) };
  }
  throw new Error("a page is of an unknown kind");
}

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;

/** The numbers of PLAIN_DICTIONARY and RLE_DICTIONARY. */
const DICTIONARY_ENCODINGS: readonly unknown[] = [2, 8];

type Kind = Omit<PageHeader, "compressedBytes" | "uncompressedBytes">;

function firstVersion(page: unknown): Kind {
  const { field_1: values, field_2: encoding } = structOf(page);
  return {
    kind: "first version",
    values: count(values),
    levelBytes: 0,
    hasDictionary: DICTIONARY_ENCODINGS.includes(encoding),
    isCompressed: true,
  };
}

function secondVersion(page: unknown): Kind {
  const own = structOf(page);
  const [values, missing, rows] = [own["field_1"], own["field_2"], own["field_3"]].map(count);
  if (missing! > values! || rows !== values) throw new Error("a page miscounts its rows");
  return {
    kind: "second version",
    values: values!,
    levelBytes: count(own["field_5"]) + count(own["field_6"]),
    hasDictionary: DICTIONARY_ENCODINGS.includes(own["field_4"]),
    isCompressed: own["field_7"] !== false,
  };
}

/** Each entry takes a byte or more. */
function dictionary(page: unknown, { uncompressedBytes }: { uncompressedBytes: number }): Kind {
  const values = count(structOf(page)["field_1"]);
  if (values > uncompressedBytes) throw new Error("a dictionary is too large for its page");
  const rest = { levelBytes: 0, hasDictionary: false, isCompressed: true };
  return { kind: "dictionary", values, ...rest };
}

function structOf(value: unknown): ThriftStruct {
  if (typeof value === "object" && value !== null) return value as ThriftStruct;
  throw new Error("the header of a page is damaged");
}

/** Throws an Error unless `value` is a whole number of at least 0. */
function count(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw new Error("the header of a page is damaged");
}
