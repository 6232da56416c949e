/**
 * Parquet files (https://parquet.apache.org/docs/file-format/) through hyparquet: what they say of
 * themselves, and some of their rows.
 */
import type { AsyncBuffer, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { DataError } from "../../data/error.js";
import { describeReadError, openFile } from "../read-file.js";
import { PageChecker, type PageColumn } from "./parquet-pages.js";

/** Rows from `start` up to `end`, which is not among them. */
export interface RowSpan {
  readonly start: number;
  readonly end: number;
}

export class ParquetFile {
  /** The first rows of the pages of a row group, for a column, once they have been asked for. */
  private readonly pages = new Map<number, Promise<readonly number[]>>();
  private readonly groups: readonly RowSpan[];

  private constructor(
    readonly path: string,
    private readonly metadata: FileMetaData,
    readonly columns: readonly SchemaTree[],
  ) {
    let end = 0;
    this.groups = metadata.row_groups.map(({ num_rows }) => ({
      start: end,
      end: (end += Number(num_rows)),
    }));
  }

  /**
   * Reads the file's end. Throws a DataError where it is not a Parquet file, or
   * damaged.
   */
  static async open(path: string): Promise<ParquetFile> {
    const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
    try {
      const metadata = await parquetMetadataAsync(await bytesOf(path));
      checkRows(metadata);
      return new ParquetFile(path, metadata, parquetSchema(metadata).children);
    } catch (error) {
      throw unreadable(path, error, "is not a Parquet file, or is truncated");
    }
  }

  get length(): number {
    return this.groups.at(-1)?.end ?? 0;
  }

  /** What writers have stored under a name, in addition to the rows. */
  note(name: string): string | undefined {
    return this.metadata.key_value_metadata?.find(({ key }) => key === name)?.value;
  }

  /** All values of a column. Text comes as strings. */
  async readColumn(name: string): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const span of this.groups) {
      for (const row of await this.readSpan([name], span, { utf8: true })) values.push(row);
    }
    return values;
  }

  /** Values of a column, of groups only the `leaf`. Bytes come as such. */
  readRows(leaf: readonly string[], span: RowSpan): Promise<unknown[]> {
    return this.readSpan(leaf, span, { utf8: false });
  }

  private async readSpan(
    leaf: readonly string[],
    { start, end }: RowSpan,
    { utf8 }: { readonly utf8: boolean },
  ): Promise<unknown[]> {
    const { parquetReadObjects } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
    const name = leaf[0]!;
    try {
      const { metadata, pageColumns } = await this.onlyLeaf(leaf);
      const checker = new PageChecker(compressors);
      const rows = await parquetReadObjects({
        file: withCheckedPages(await bytesOf(this.path), pageColumns, checker),
        metadata,
        columns: [name],
        rowStart: start,
        rowEnd: end,
        compressors: checker.compressors(),
        utf8,
        useOffsetIndex: true,
      });
      if (rows.length !== end - start)
        throw new Error(`${rows.length} of ${end - start} are there`);
      return rows.map((row): unknown => row[name]);
    } catch (error) {
      throw unreadable(this.path, error, `is damaged in rows ${start} to ${end - 1}`);
    }
  }

  /**
   * The file's description as if it had one column of numbers or bytes alone. The library starts to
   * read all parts of a group, and abandons some of their promises where one of them is damaged.
   */
  private async onlyLeaf(leaf: readonly string[]) {
    const { parquetSchema } = await import("hyparquet");
    const { metadata } = this;
    const root = parquetSchema(metadata);
    const schema = [{ ...root.element, num_children: 1 }];
    let at = root;
    for (const [depth, part] of leaf.entries()) {
      const child = at.children.find(({ element }) => element.name === part);
      if (!child) throw new Error(`it has no column ${leaf.join(".")}`);
      const isLast = depth === leaf.length - 1;
      schema.push({ ...child.element, num_children: isLast ? child.element.num_children! : 1 });
      at = child;
    }
    const row_groups = metadata.row_groups.map((group) => ({
      ...group,
      columns: group.columns.filter(({ meta_data: meta }) => isPath(meta?.path_in_schema, leaf)),
    }));
    const parts = schema.slice(1).map(({ repetition_type }) => repetition_type);
    if (parts.includes("REPEATED")) throw new Error(`${leaf.join(".")} is a list`);
    const optionalParts = parts.filter((part) => part === "OPTIONAL").length;
    const pageColumns = row_groups.map((group) => checkColumn(group, leaf, optionalParts));
    return { metadata: { ...metadata, schema, row_groups } as FileMetaData, pageColumns };
  }

  /**
   * The fewest rows around one that are read together: its page where the file has an index of
   * those, or else its row group.
   */
  async spanAround(row: number, leaf: readonly string[]): Promise<RowSpan> {
    const group = this.groups.findIndex(({ end }) => row < end);
    const { start, end } = this.groups[group]!;
    if (!this.pages.has(group)) this.pages.set(group, this.readPages(group, leaf));
    const starts = await this.pages.get(group)!;
    const next = starts.findIndex((first) => start + first > row);
    const first = starts.at(next < 0 ? -1 : next - 1) ?? 0;
    return { start: start + first, end: next < 0 ? end : start + starts[next]! };
  }

  private async readPages(group: number, leaf: readonly string[]): Promise<readonly number[]> {
    const { readOffsetIndex } = await import("hyparquet");
    const { columns, num_rows: rows } = this.metadata.row_groups[group]!;
    const column = columns.find(({ meta_data }) => isPath(meta_data?.path_in_schema, leaf));
    const { offset_index_offset: offset, offset_index_length: length } = column ?? {};
    if (offset === undefined || length === undefined) return [];
    try {
      const file = await bytesOf(this.path);
      const view = new DataView(await file.slice(Number(offset), Number(offset) + length));
      const { page_locations: pages } = readOffsetIndex({ view, offset: 0 });
      const starts = pages.map(({ first_row_index }) => Number(first_row_index));
      const isAscending = starts.every((first, index) => first > (starts[index - 1] ?? -1));
      if (starts[0] !== 0 || !isAscending || starts.at(-1)! >= rows) {
        throw new Error("its pages are not in order");
      }
      return starts;
    } catch (error) {
      throw unreadable(this.path, error, "is damaged in its index of pages");
    }
  }
}

const isPath = (path: readonly string[] | undefined, leaf: readonly string[]) =>
  path !== undefined && path.length === leaf.length && path.every((part, at) => part === leaf[at]);

/** Throws where row groups do not have as many rows as the file is said to have. */
function checkRows({ num_rows: rows, row_groups: groups }: FileMetaData): void {
  const wrong = groups.find(({ num_rows }) => num_rows < 0n);
  const sum = groups.reduce((total, { num_rows }) => total + num_rows, 0n);
  // Some writers leave the number of the file's rows at 0.
  if (wrong || (rows !== 0n && sum !== rows) || sum > BigInt(MOST_ROWS)) {
    throw new Error(`its row groups have ${sum} rows, the file ${rows}`);
  }
}

/** Throws where a row group does not hold one value of a column for each of its rows. */
function checkColumn(
  { columns, num_rows: rows }: RowGroup,
  leaf: readonly string[],
  optionalParts: number,
): GroupColumn {
  const name = leaf.join(".");
  const [column] = columns;
  if (columns.length !== 1 || !column?.meta_data) {
    throw new Error(`it does not say where ${name} is`);
  }
  const { meta_data: meta, offset_index_offset: index } = column;
  if (meta.num_values !== rows) {
    throw new Error(`it has ${meta.num_values} values of ${name} for ${rows} rows`);
  }
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = start + Number(meta.total_compressed_size);
  return { meta, optionalParts, start, end, index: index === undefined ? index : Number(index) };
}

interface GroupColumn extends PageColumn {
  /** Where its pages are. */
  readonly start: number;
  readonly end: number;
  /** Where the index of its pages is. */
  readonly index: number | undefined;
}

/** The same file, whose pages are checked before they are decoded. */
function withCheckedPages(
  file: AsyncBuffer,
  columns: readonly GroupColumn[],
  checker: PageChecker,
): AsyncBuffer {
  const readPages = async (start: number, end: number | undefined) => {
    const bytes = await file.slice(start, end);
    const column = columns.find((each) => start >= each.start && start < each.end);
    if (!column) throw new Error("its pages are not where it says");
    checker.check(bytes, column);
    return bytes;
  };
  return {
    byteLength: file.byteLength,
    slice(start, end) {
      if (columns.some(({ index }) => index === start)) return file.slice(start, end);
      const bytes = readPages(start, end);
      bytes.catch(() => {});
      return bytes;
    },
  };
}

/** As many as an array may hold. */
const MOST_ROWS = 2 ** 32 - 1;

/** The bytes of a file, as the library asks for them; a missing range is an error. */
async function bytesOf(path: string): Promise<AsyncBuffer> {
  const file = await openFile(path);
  const { size: byteLength } = await file.stat().finally(() => file.close());
  const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
    if (!(start >= 0 && start <= end && end <= byteLength)) {
      throw new Error(`bytes ${start} to ${end} are asked for, and it has ${byteLength}`);
    }
    return readRange(path, { start, length: end - start });
  };
  return {
    byteLength,
    slice(start, end) {
      const bytes = slice(start, end);
      // The library may ask for bytes that it does not wait for, once others are damaged.
      bytes.catch(() => {});
      return bytes;
    },
  };
}

async function readRange(
  path: string,
  { start, length }: { readonly start: number; readonly length: number },
): Promise<ArrayBuffer> {
  const file = await openFile(path);
  try {
    const bytes = new ArrayBuffer(length);
    const { bytesRead } = await file.read(new Uint8Array(bytes), 0, length, start);
    if (bytesRead === length) return bytes;
    throw new Error(`it has become shorter while it was read`);
  } finally {
    await file.close();
  }
}

/** A missing file is another mistake than a file with wrong bytes. */
function unreadable(path: string, error: unknown, otherwise: string): DataError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return new DataError(describeReadError(path, error as Error));
  return new DataError(`${path} ${otherwise} (${reasonOf(error)})`, "download or write it again");
}

/** What a library's error says of a file, where it speaks of that and not of itself. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const isOwn = (error as Error).constructor === Error && !/undefined|NaN|Cannot/.test(message);
  return isOwn ? message : "its parts do not fit together";
}
