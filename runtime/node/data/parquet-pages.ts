/**
 * Checks of Parquet's pages before the library decodes them: it allocates, and loops over, as many
 * values as their headers say. https://parquet.apache.org/docs/file-format/data-pages/
 */
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";

/** What the file's description says of a column of a row group. */
export interface PageLimits {
  /** Values of all pages: one for each row. */
  readonly values: number;
  /** Bytes of all pages once they are decompressed, headers included. */
  readonly uncompressedBytes: number;
}

/** Of a page, as far as it counts here. */
interface PageHeader {
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** Undefined of a dictionary, which holds values but no rows. */
  readonly values: number | undefined;
}

/** Throws an Error where a page is cut off, or says that it holds more than its column. */
export function checkPages(bytes: ArrayBuffer, limits: PageLimits): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  let values = 0;
  while (values < limits.values && reader.offset < bytes.byteLength - 1) {
    const page = readHeader(reader);
    reader.offset += page.compressedBytes;
    values += page.values ?? 0;
    if (reader.offset > bytes.byteLength) throw new Error("a page reaches beyond its column");
    if (page.uncompressedBytes > limits.uncompressedBytes || values > limits.values) {
      throw new Error("a page holds more than its column");
    }
  }
}

const DICTIONARY = 2;

function readHeader(reader: { view: DataView; offset: number }): PageHeader {
  const header = deserializeTCompactProtocol(reader);
  const isDictionary = header.field_1 === DICTIONARY;
  // A data page of the first version, one of the second, or a dictionary.
  const own = (header.field_5 ?? header.field_8 ?? header.field_7) as ThriftStruct;
  const uncompressedBytes = count(header.field_2);
  const values = count(own?.field_1);
  // Even runs of equal values take a byte: more cannot be in a dictionary.
  if (isDictionary && values > uncompressedBytes) throw new Error("a dictionary is too large");
  if (header.field_8) checkLevels(own);
  return {
    compressedBytes: count(header.field_3),
    uncompressedBytes,
    values: isDictionary ? undefined : values,
  };
}

type ThriftStruct = Readonly<Record<string, unknown>> | undefined;

/** Of the second version: how many values are missing, and the bytes of levels. */
function checkLevels(page: ThriftStruct): void {
  const [values, missing, rows] = [page?.field_1, page?.field_2, page?.field_3].map(count);
  if (missing! > values! || rows !== values) throw new Error("a page miscounts its rows");
  [page?.field_5, page?.field_6].forEach(count);
}

/** Throws an Error unless `value` is a whole number of at least 0. */
function count(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw new Error("the header of a page is damaged");
}
