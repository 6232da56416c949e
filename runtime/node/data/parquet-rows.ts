/** Values from Parquet files in any order, with bounded memory. */
import type { ParquetFile, RowSpan } from "./parquet-file.js";

/** Encoded bytes of rows that were read and may be asked for again. */
const KEPT_BYTES = 256 * 2 ** 20;

type Row = Uint8Array | undefined;

interface KeptSpan {
  readonly rows: readonly Row[];
  readonly bytes: number;
}

/**
 * Bytes of one column of some files. Rows are read by the page or the row group; the last that were
 * used are kept. One is read after the other, so that many requests at once take no more memory
 * than the spans that are kept and one more.
 */
export class ParquetRows {
  /** The one that was used last is the last. */
  private readonly kept = new Map<string, KeptSpan>();
  private keptBytes = 0;
  private readonly coming = new Map<string, Promise<readonly Row[]>>();
  private last: Promise<unknown> = Promise.resolve();

  /** `bytesOf` finds the bytes in a value of the column; `leaf` is where they lie in it. */
  constructor(
    private readonly column: {
      readonly leaf: readonly string[];
      readonly bytesOf: (value: unknown) => Row;
    },
    private readonly budget = KEPT_BYTES,
  ) {}

  /**
   * A copy of a row's bytes; undefined where it has none. Throws a DataError where the file is
   * damaged or gone.
   */
  async read(file: ParquetFile, row: number): Promise<Row> {
    const span = await file.spanAround(row, this.column.leaf);
    const rows = await this.readSpan(file, span);
    // What is passed to another thread takes all of its memory along, which here is that of the
    // whole span.
    return rows[row - span.start]?.slice();
  }

  private readSpan(file: ParquetFile, span: RowSpan): Promise<readonly Row[]> {
    const key = `${file.path}:${span.start}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return Promise.resolve(known.rows);
    }
    const reading = this.coming.get(key) ?? this.startReading(file, span, key);
    this.coming.set(key, reading);
    return reading;
  }

  private startReading(file: ParquetFile, span: RowSpan, key: string): Promise<readonly Row[]> {
    const reading = this.last.then(async () => {
      const values = await file.readRows(this.column.leaf, span);
      const rows = values.map(this.column.bytesOf);
      this.keep(key, rows);
      return rows;
    });
    this.last = reading.catch(() => {}).then(() => this.coming.delete(key));
    return reading;
  }

  private keep(key: string, rows: readonly Row[]): void {
    const bytes = rows.reduce((sum, row) => sum + (row?.length ?? 0), 0);
    for (const [oldest, span] of this.kept) {
      if (this.keptBytes + bytes <= this.budget) break;
      this.kept.delete(oldest);
      this.keptBytes -= span.bytes;
    }
    this.kept.set(key, { rows, bytes });
    this.keptBytes += bytes;
  }
}
