/** Parquet files (https://parquet.apache.org/docs/file-format/) through hyparquet: what they say of themselves, and some of their rows. */
import type { FileMetaData, SchemaTree } from "hyparquet";
import { DataError } from "../../data/error.js";
import { describeReadError } from "./files.js";

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

  /** Reads what stands at the file's end. Throws a DataError where it is no Parquet file, or damaged. */
  static async open(path: string): Promise<ParquetFile> {
    const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await import("hyparquet");
    try {
      const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
      return new ParquetFile(path, metadata, parquetSchema(metadata).children);
    } catch (error) {
      throw unreadable(path, error, "is no Parquet file, or cut off");
    }
  }

  get length(): number {
    return this.groups.at(-1)?.end ?? 0;
  }

  /** What writers have put beside the rows under a name. */
  note(name: string): string | undefined {
    return this.metadata.key_value_metadata?.find(({ key }) => key === name)?.value;
  }

  /** All values of a column. Text comes as strings. */
  async readColumn(name: string): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const span of this.groups) {
      for (const row of await this.readSpan(name, span, { utf8: true })) values.push(row);
    }
    return values;
  }

  /** Values of a column. Bytes come as such. */
  readRows(name: string, span: RowSpan): Promise<unknown[]> {
    return this.readSpan(name, span, { utf8: false });
  }

  private async readSpan(
    name: string,
    { start, end }: RowSpan,
    { utf8 }: { readonly utf8: boolean },
  ): Promise<unknown[]> {
    const { asyncBufferFromFile, parquetReadObjects } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
    try {
      const rows = await parquetReadObjects({
        file: await asyncBufferFromFile(this.path),
        ...{ metadata: this.metadata, columns: [name], rowStart: start, rowEnd: end },
        ...{ compressors, utf8, useOffsetIndex: true },
      });
      if (rows.length !== end - start)
        throw new Error(`${rows.length} of ${end - start} are there`);
      return rows.map((row): unknown => row[name]);
    } catch (error) {
      throw unreadable(this.path, error, `is damaged in rows ${start} to ${end - 1}`);
    }
  }

  /** The fewest rows around one that are read together: its page where the file has an index of those, or else its row group. */
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
    const { asyncBufferFromFile, readOffsetIndex } = await import("hyparquet");
    const path = leaf.join(".");
    const column = this.metadata.row_groups[group]!.columns.find(
      ({ meta_data }) => meta_data?.path_in_schema.join(".") === path,
    );
    const { offset_index_offset: offset, offset_index_length: length } = column ?? {};
    if (offset === undefined || length === undefined) return [];
    try {
      const file = await asyncBufferFromFile(this.path);
      const view = new DataView(await file.slice(Number(offset), Number(offset) + length));
      const { page_locations: pages } = readOffsetIndex({ view, offset: 0 });
      return pages.map(({ first_row_index }) => Number(first_row_index));
    } catch (error) {
      throw unreadable(this.path, error, "is damaged in its index of pages");
    }
  }
}

/** A file that is not there is another mistake than one of which the bytes are wrong. */
function unreadable(path: string, error: unknown, otherwise: string): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined) return new DataError(describeReadError(path, error as Error));
  return new DataError(`${path} ${otherwise} (${message})`, "download or write it again");
}
