/** A table of numbers with a column of labels, as CSV. Mistakes are reported with their line. */
import { DataError } from "../../data/error.js";
import { countedColumns, rolesOf, type ColumnRoles } from "./csv-columns.js";
import { checkHeader, isHeader } from "./csv-header.js";
import { quoted, readLines, toNumber, type CsvOptions, type Line } from "./csv-lines.js";

export interface CsvTable {
  /** Of each row, where the table is one of classes. */
  readonly labels: readonly string[];
  /** Of each row, where the label's columns hold numbers. */
  readonly targets: readonly Float32Array[];
  /** Line numbers, from 1, of the rows. */
  readonly lines: Uint32Array;
  /** Which group each row belongs to, where a column says it. */
  readonly groups?: readonly string[];
  /** Row-major, `lines.length` x `columns`. */
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
  const targets: Float32Array[] = [];
  const groups: string[] = [];
  const lines: number[] = [];
  const parts: Float32Array[] = [];
  for (const row of rows) {
    checkLength(row, names.length, { ...options, header });
    const place = { row, names, path: options.path };
    if (options.isNumeric) targets.push(targetsOf(place, roles));
    else labels.push(textAt(roles.labels[0]!, "label", place));
    if (roles.group !== undefined) groups.push(textAt(roles.group, "group", place));
    lines.push(row.number);
    parts.push(valuesOf(place, roles, options));
  }
  const columns = roles.values.length;
  const values = new Float32Array(lines.length * columns);
  parts.forEach((part, index) => values.set(part, index * columns));
  return {
    labels,
    targets,
    groups: roles.group === undefined ? undefined : groups,
    lines: Uint32Array.from(lines),
    values,
    columns,
  };
}

/** The values of some columns, for each row, and the rows' lines. */
export function readFeatures(
  { names, header, rows }: CsvRows,
  values: readonly number[],
  options: CsvOptions,
): { readonly rows: readonly Float32Array[]; readonly lines: readonly number[] } {
  const read: Float32Array[] = [];
  const lines: number[] = [];
  for (const row of rows) {
    checkLength(row, names.length, { ...options, header });
    read.push(valuesOf({ row, names, path: options.path }, { values }, options));
    lines.push(row.number);
  }
  return { rows: read, lines };
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

function valuesOf(
  place: Place,
  { values }: Pick<ColumnRoles, "values">,
  { maximum, noun = "pixel" }: CsvOptions,
): Float32Array {
  return Float32Array.from(values, (column) => {
    const value = numberAt(column, noun, place);
    if (maximum === Infinity || (value >= 0 && value <= maximum)) return value;
    throw new DataError(
      `${placeOf(place)}: the pixel value ${value} is outside 0 to ${maximum}`,
      "give the largest pixel value in the spec: csv(..., maximum=...)",
    );
  });
}

const targetsOf = (place: Place, { labels }: ColumnRoles): Float32Array =>
  Float32Array.from(labels, (column) => numberAt(column, "target", place));

/** What to do about a cell that holds no number. */
function helpFor(cell: string): string {
  if (cell === "") return "fill in what is missing, or remove the row";
  if (/^[+-]?\d+,\d+$/.test(cell)) {
    return `numbers have a point: ${cell.replace(",", ".")} (pandas: to_csv(..., decimal="."))`;
  }
  return 'csv(..., ignore=["NAME"]) leaves a column of text out';
}

/** The number in a cell. Throws a DataError that names line and column where there is none. */
function numberAt(column: number, noun: "pixel" | "feature" | "target", place: Place): number {
  const cell = place.row.cells[column]!;
  const value = toNumber(cell);
  if (Number.isFinite(Math.fround(value))) return value;
  const where = `in the column ${place.names[column]}`;
  if (Number.isFinite(value))
    throw new DataError(`${placeOf(place)}: ${cell} ${where} is beyond the range of f32`);
  throw new DataError(
    `${placeOf(place)}: expected a number for a ${noun}, but got ${quoted(cell)} ${where}`,
    helpFor(cell),
  );
}

const placeOf = ({ row, path }: Place) => `${path}:${row.number}`;
