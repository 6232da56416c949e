/** A table of numbers with a column of labels, as CSV. Mistakes are reported with their line. */
import { DataError } from "../../data/error.js";
import { checkHeader, isHeader } from "./csv-header.js";
import { quoted, readLines, toNumber, type CsvOptions, type Line } from "./csv-lines.js";

export interface CsvTable {
  readonly labels: readonly string[];
  /** Line numbers, from 1, of the rows. */
  readonly lines: Uint32Array;
  /** Row-major, `labels.length` x `columns`. */
  readonly values: Float32Array;
  /** Pixels or features in a row. */
  readonly columns: number;
}

/**
 * Reads comma-, semicolon- or tab-separated lines, with a header or without (csv-header.ts). Throws
 * a DataError for a row of another length, a cell that is not a number, and a value outside 0 ..
 * maximum.
 */
export function parseCsvTable(bytes: Buffer, options: CsvOptions): CsvTable {
  const [header, rows] = splitHeader(readLines(bytes, options), options);
  const first = rows.next();
  if (first.done) throw new DataError(`${options.path} has no rows`);
  const { length } = (header ?? first.value).cells;
  const labels: string[] = [];
  const lines: number[] = [];
  const parts: Float32Array[] = [];
  for (let row: IteratorResult<Line> = first; !row.done; row = rows.next()) {
    checkLength(row.value, length, { ...options, header });
    const cells = [...row.value.cells];
    labels.push(takeLabel(cells, row.value, options));
    lines.push(row.value.number);
    parts.push(Float32Array.from(cells, (cell) => parseValue(cell, row.value, options)));
  }
  const columns = length - 1;
  const values = new Float32Array(labels.length * columns);
  parts.forEach((part, index) => values.set(part, index * columns));
  return { labels, lines: Uint32Array.from(lines), values, columns };
}

/** The first line, where it is a header, and the others. */
function splitHeader(
  lines: Generator<Line, undefined>,
  options: CsvOptions,
): [header: Line | undefined, rows: Iterator<Line, undefined>] {
  const first = lines.next();
  if (first.done) return [undefined, lines];
  const second = lines.next();
  if (isHeader(first.value, second.value?.cells, options)) {
    checkHeader(first.value, options);
    return [first.value, startingWith(second, lines)];
  }
  return [undefined, startingWith(first, startingWith(second, lines))];
}

function* startingWith(
  first: IteratorResult<Line, undefined>,
  rest: Generator<Line, undefined>,
): Generator<Line, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function checkLength(
  line: Line,
  expected: number,
  { path, header }: CsvOptions & { readonly header: Line | undefined },
): void {
  if (line.cells.length === expected) return;
  const others = header ? "the header has" : "the rows before it have";
  throw new DataError(
    `${path}:${line.number}: this row has ${line.cells.length} cells, but ${others} ${expected}`,
    header && line.cells.length === expected + 1
      ? "if rows start with their number, write the file without it (pandas: index=False)"
      : undefined,
  );
}

/** Removes the label from the cells and returns it. */
function takeLabel(cells: string[], line: Line, { path, label }: CsvOptions): string {
  const value = label === "first" ? cells.shift() : cells.pop();
  if (value) return value;
  throw new DataError(`${path}:${line.number}: the label, in the ${label} column, is empty`);
}

function parseValue(cell: string, line: Line, options: CsvOptions): number {
  const { path, maximum, noun = "pixel" } = options;
  const value = toNumber(cell);
  const isAny = maximum === Infinity;
  if (Number.isFinite(Math.fround(value)) && (isAny || (value >= 0 && value <= maximum)))
    return value;
  if (!Number.isFinite(value)) {
    throw new DataError(
      `${path}:${line.number}: expected a number for a ${noun}, but got ${quoted(cell)}`,
    );
  }
  if (isAny) throw new DataError(`${path}:${line.number}: ${cell} is beyond the range of f32`);
  throw new DataError(
    `${path}:${line.number}: the pixel value ${cell} is outside 0 to ${maximum}`,
    "give the largest pixel value in the spec: csv(..., maximum=...)",
  );
}
