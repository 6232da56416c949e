/** A table of numbers with a column of labels, as CSV. Mistakes are reported with their line. */
import { DataError } from "../../data/error.js";
import { countedColumns, rolesOf, type ColumnRoles } from "./csv-columns.js";
import { checkHeader, isHeader } from "./csv-header.js";
import { quoted, readLines, toNumber, type CsvOptions, type Line } from "./csv-lines.js";

export interface CsvTable {
  readonly labels: readonly string[];
  /** Line numbers, from 1, of the rows. */
  readonly lines: Uint32Array;
  /** Which group each row belongs to, where a column says it. */
  readonly groups?: readonly string[];
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
  const { names, header, rows } = openRows(bytes, options);
  const roles = rolesOf(names, options);
  const labels: string[] = [];
  const groups: string[] = [];
  const lines: number[] = [];
  const parts: Float32Array[] = [];
  for (const row of rows) {
    checkLength(row, names.length, { ...options, header });
    labels.push(textAt(roles.label, "label", { row, names, path: options.path }));
    if (roles.group !== undefined)
      groups.push(textAt(roles.group, "group", { row, names, path: options.path }));
    lines.push(row.number);
    parts.push(valuesOf(row, roles, options));
  }
  const columns = roles.values.length;
  const values = new Float32Array(labels.length * columns);
  parts.forEach((part, index) => values.set(part, index * columns));
  return {
    labels,
    groups: roles.group === undefined ? undefined : groups,
    lines: Uint32Array.from(lines),
    values,
    columns,
  };
}

export interface CsvRows {
  /** Of the columns: those of the header, else their numbers from 1. */
  readonly names: readonly string[];
  readonly header: Line | undefined;
  readonly rows: Iterable<Line>;
}

/** The rows as text. Throws a DataError where there is none, and for a wrong header. */
export function openRows(bytes: Buffer, options: CsvOptions): CsvRows {
  const [header, rows] = splitHeader(readLines(bytes, options), options);
  const first = rows.next();
  if (first.done) throw new DataError(`${options.path} has no rows`);
  const { cells } = header ?? first.value;
  const names = header ? cells : countedColumns(cells.length);
  return { names, header, rows: startingWith(first, rows) };
}

/** The first line, where it is a header, and the others. */
function splitHeader(
  lines: Generator<Line, undefined>,
  options: CsvOptions,
): [header: Line | undefined, rows: Generator<Line, undefined>] {
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

interface Place {
  readonly row: Line;
  readonly names: readonly string[];
  readonly path: string;
}

/** The text of a column that must not be empty. */
function textAt(column: number, what: "label" | "group", { row, names, path }: Place): string {
  const value = row.cells[column]!;
  if (value) return value;
  const where =
    column === names.length - 1 ? "last column" : column === 0 ? "first column" : names[column]!;
  throw new DataError(`${path}:${row.number}: the ${what}, in the ${where}, is empty`);
}

function valuesOf(row: Line, { values }: ColumnRoles, options: CsvOptions): Float32Array {
  return Float32Array.from(values, (column) => parseValue(row.cells[column]!, row, options));
}

/** What to do about a cell that holds no number. */
function helpFor(cell: string): string {
  if (cell === "") return "fill in what is missing, or remove the row";
  if (/^[+-]?\d+,\d+$/.test(cell)) {
    return `numbers have a point: ${cell.replace(",", ".")} (pandas: to_csv(..., decimal="."))`;
  }
  return 'csv(..., ignore=["NAME"]) leaves a column of text out';
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
      helpFor(cell),
    );
  }
  if (isAny) throw new DataError(`${path}:${line.number}: ${cell} is beyond the range of f32`);
  throw new DataError(
    `${path}:${line.number}: the pixel value ${cell} is outside 0 to ${maximum}`,
    "give the largest pixel value in the spec: csv(..., maximum=...)",
  );
}
