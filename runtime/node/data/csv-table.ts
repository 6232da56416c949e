/** A table of numbers with a column of labels, as CSV. Mistakes are reported with their line. */
import { DataError } from "../../data/error.js";

export interface CsvOptions {
  /** For messages. */
  readonly path: string;
  readonly label: "first" | "last";
  /** The largest pixel value allowed. */
  readonly maximum: number;
}

export interface CsvTable {
  readonly labels: readonly string[];
  /** Row-major, `labels.length` x `columns`. */
  readonly values: Float32Array;
  /** Pixels in a row. */
  readonly columns: number;
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly cells: readonly string[];
}

/**
 * Reads comma-, semicolon- or tab-separated lines. A first line in which no cell is a number is a header. Throws a DataError for a row
 * of another length, a cell that is no number, and a value outside 0 .. maximum.
 */
export function parseCsvTable(bytes: Buffer, options: CsvOptions): CsvTable {
  const rows = withoutHeader(readLines(bytes), options);
  const first = rows.next();
  if (first.done) throw new DataError(`${options.path} has no rows`);
  const columns = first.value.cells.length - 1;
  const labels: string[] = [];
  const parts: Float32Array[] = [];
  for (let row: IteratorResult<Line> = first; !row.done; row = rows.next()) {
    checkLength(row.value, columns + 1, options);
    const cells = [...row.value.cells];
    labels.push(takeLabel(cells, row.value, options));
    parts.push(Float32Array.from(cells, (cell) => parsePixel(cell, row.value, options)));
  }
  const values = new Float32Array(labels.length * columns);
  parts.forEach((part, index) => values.set(part, index * columns));
  return { labels, values, columns };
}

/** Lines that are not blank. Read one at a time: a whole file may exceed the longest string. */
function* readLines(bytes: Buffer): Generator<Line, undefined> {
  let separator: string | undefined;
  let start = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  for (let number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.toString("utf8", start, end).trim();
    start = end + 1;
    if (text === "") continue;
    separator ??= /[,;\t]/.exec(text)?.[0] ?? ",";
    const cells = text.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    yield { number, cells };
  }
}

function* withoutHeader(
  lines: Generator<Line, undefined>,
  options: CsvOptions,
): Generator<Line, undefined> {
  const first = lines.next();
  if (first.done) return;
  if (first.value.cells.some(isNumber)) yield first.value;
  else checkHeader(first.value.cells, options);
  yield* lines;
}

function isNumber(cell: string): boolean {
  return cell !== "" && Number.isFinite(Number(cell));
}

const LABEL_NAME = /^(label|labels|class|target)$/i;

/** A header that names the label's column must agree with the spec. */
function checkHeader(cells: readonly string[], { path, label }: CsvOptions): void {
  const named = cells.findIndex((cell) => LABEL_NAME.test(cell));
  if (named < 0 || named === (label === "first" ? 0 : cells.length - 1)) return;
  throw new DataError(
    `${path}:1: column ${named + 1} of ${cells.length} is named \`${cells[named]}\`, but the spec takes the label from the ${label} column`,
    named === 0 || named === cells.length - 1
      ? `write \`label=${named === 0 ? "first" : "last"}\` in the spec's csv(...)`
      : "move that column to the end of the rows",
  );
}

function checkLength(line: Line, expected: number, { path }: CsvOptions): void {
  if (line.cells.length === expected) return;
  throw new DataError(
    `${path}:${line.number}: this row has ${line.cells.length} cells, but the rows before it have ${expected}`,
  );
}

/** Removes the label from the cells and returns it. */
function takeLabel(cells: string[], line: Line, { path, label }: CsvOptions): string {
  const value = label === "first" ? cells.shift() : cells.pop();
  if (value) return value;
  throw new DataError(`${path}:${line.number}: the label, in the ${label} column, is empty`);
}

function parsePixel(cell: string, line: Line, { path, maximum }: CsvOptions): number {
  if (!isNumber(cell)) {
    throw new DataError(`${path}:${line.number}: expected a number for a pixel, but got "${cell}"`);
  }
  const value = Number(cell);
  if (value >= 0 && value <= maximum) return value;
  throw new DataError(
    `${path}:${line.number}: the pixel value ${cell} is outside 0 to ${maximum}`,
    "give the largest pixel value in the spec: csv(..., maximum=...)",
  );
}
