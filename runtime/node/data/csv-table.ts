/** A table of numbers and classes, as CSV. Mistakes are reported with their line. */
import type { TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import {
  countedColumns,
  rolesOf,
  type ColumnOptions,
  type ColumnRoles,
  type PlacedField,
} from "./csv-columns.js";
import { checkHeader, isHeader } from "./csv-header.js";
import { quoted, readLines, toNumber, type Line } from "./csv-lines.js";

export interface CsvOptions extends ColumnOptions {
  /** The largest pixel value allowed. */
  readonly maximum: number;
}

/** What a table holds of an input or a target. */
export interface ReadField extends PlacedField {
  /** Row-major, `lines.length` x `at.length`; empty where there are texts. */
  readonly values: Float32Array;
  /** Of each row, for a class or a file. */
  readonly texts: readonly string[];
  /** Of its columns. */
  readonly names: readonly string[];
}

export interface CsvTable {
  readonly fields: readonly ReadField[];
  /** Line numbers, from 1, of the rows. */
  readonly lines: Uint32Array;
  /** Which group each row belongs to, where a column says it. */
  readonly groups?: readonly string[] | undefined;
  /** What the header calls the columns of each field; undefined without one. */
  readonly columns: TableFacts["columns"];
}

/**
 * Reads comma-, semicolon- or tab-separated lines, with a header or without (csv-header.ts). Throws
 * a DataError for a row of another length, a cell that is not a number, a pixel outside 0 ..
 * maximum, and an integer outside its field's range.
 */
export function parseCsvTable(bytes: Buffer, options: CsvOptions): CsvTable {
  const rows = openRows(bytes, options);
  // Without a header, columns are those of the same places.
  const known = rows.header && options.known;
  if (options.known && !known) {
    options.onNotice?.(`${options.path} has no header: its columns are taken in their order`);
  }
  return readRows(rows, rolesOf(rows.names, { ...options, known }), options);
}

/** What the one column of a field holds that is not numbers. */
const NOUNS: Readonly<Partial<Record<PlacedField["holds"], "label" | "file">>> = {
  class: "label",
  file: "file",
};

/** The fields of each row. */
export function readRows(
  { names, header, rows }: CsvRows,
  { fields, group }: ColumnRoles,
  options: CsvOptions,
): CsvTable {
  const groups: string[] = [];
  const lines: number[] = [];
  const parts = fields.map((): Float32Array[] => []);
  const texts = fields.map((): string[] => []);
  for (const row of rows) {
    checkLength(row, names.length, { path: options.path, header });
    const place = { row, names, path: options.path };
    fields.forEach((field, index) => {
      const what = NOUNS[field.holds];
      if (what !== undefined) texts[index]!.push(textAt(field.at[0]!, what, place));
      else parts[index]!.push(valuesOf(place, field, options));
    });
    if (group !== undefined) groups.push(textAt(group, "group", place));
    lines.push(row.number);
  }
  return {
    fields: fields.map((field, index) => {
      const own = { values: joined(parts[index]!), texts: texts[index]! };
      return { ...field, ...own, names: namesOf(field, names) };
    }),
    lines: Uint32Array.from(lines),
    groups: group === undefined ? undefined : groups,
    columns: header && columnNames(fields, names),
  };
}

/** What a header calls the columns of each field. */
export function columnNames(
  fields: readonly PlacedField[],
  names: readonly string[],
): NonNullable<TableFacts["columns"]> {
  return Object.fromEntries(fields.map((field) => [field.name, namesOf(field, names)]));
}

const namesOf = ({ at }: PlacedField, names: readonly string[]) =>
  at.map((column) => names[column]!);

function joined(parts: readonly Float32Array[]): Float32Array {
  const size = parts[0]?.length ?? 0;
  const values = new Float32Array(parts.length * size);
  parts.forEach((part, index) => values.set(part, index * size));
  return values;
}

export interface CsvRows {
  /** Of the columns: those of the header, else their numbers from 1. */
  readonly names: readonly string[];
  readonly header: Line | undefined;
  readonly rows: Iterable<Line>;
}

/** The rows as text. Throws a DataError where there is none, and for a wrong header. */
export function openRows(bytes: Buffer, options: ColumnOptions): CsvRows {
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
  options: ColumnOptions,
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
  { path, header }: { readonly path: string; readonly header: Line | undefined },
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
function textAt(
  column: number,
  what: "label" | "file" | "group",
  { row, names, path }: Place,
): string {
  const value = row.cells[column]!;
  if (value) return value;
  const where =
    column === names.length - 1
      ? "last column"
      : column === 0
        ? "first column"
        : `column ${names[column]!}`;
  throw new DataError(
    `${path}:${row.number}: the ${what}, in the ${where}, is empty`,
    helpFor(value, what),
  );
}

function valuesOf(place: Place, field: PlacedField, { maximum }: CsvOptions): Float32Array {
  const { at, holds, role, name, isShare } = field;
  const noun = holds === "pixels" ? "pixel" : role === "target" ? "target" : "feature";
  return Float32Array.from(at, (column) => {
    const named = field.says?.indexOf(place.row.cells[column]!) ?? -1;
    if (named >= 0) return named;
    const value = field.says ? toNumber(place.row.cells[column]!) : numberAt(column, noun, place);
    if (holds === "integers") checkInteger(value, column, { ...place, field });
    if (isShare) checkShare(value, column, { ...place, name });
    if (holds !== "pixels" || (value >= 0 && value <= maximum)) return value;
    throw new DataError(
      `${placeOf(place)}: the pixel value ${value} is outside 0 to ${maximum}`,
      "give the largest pixel value in the spec: csv(..., maximum=...)",
    );
  });
}

function checkInteger(
  value: number,
  column: number,
  { field, ...place }: Place & { readonly field: PlacedField },
): void {
  const { name, says, ignore, count = 0 } = field;
  const isCounted = !says && Number.isInteger(value) && value >= 0 && value < count;
  if (isCounted || value === ignore) return;
  const cell = quoted(place.row.cells[column]!);
  throw new DataError(
    `${placeOf(place)}: ${cell} in the column ${place.names[column]} is not one of ` +
      `\`${name}\`: expected ${says ? listOf(says) : `an integer from 0 to ${count - 1}`}` +
      (ignore === undefined ? "" : `, or ${ignore}, which is ignored`),
    says ? "correct the cell, or list it in `classes`" : helpForInteger(value, field),
  );
}

function helpForInteger(value: number, { role, count = 0, ignore }: PlacedField): string {
  const end = Math.max(count, Math.ceil(value)) + 1;
  const declared = `correct the cell, or declare more in the spec: in 0..${end}`;
  const canIgnore = role === "target" && ignore === undefined && value >= count;
  return canIgnore
    ? `${declared}; the loss leaves out what has no class: cross_entropy(..., ignore=${value})`
    : declared;
}

const listOf = (names: readonly string[]) =>
  `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", ..." : ""}`;

/** How tables write that a number is missing: pandas, R, SQL and UCI. */
const MISSING = /^(|nan|na|n\/a|null|none|nil|\?|-)$/i;

function checkShare(
  value: number,
  column: number,
  { name, ...place }: Place & { readonly name: string },
): void {
  if (value >= 0 && value <= 1) return;
  const cell = quoted(place.row.cells[column]!);
  throw new DataError(
    `${placeOf(place)}: ${cell} in the column ${place.names[column]} is not from 0 to 1, ` +
      `as the loss of \`${name}\` takes them`,
    "write 1 for a tag that an example has, and 0 for one that it does not have; " +
      "`mse` and `l1` are losses of any numbers",
  );
}

/** What to do about a cell that holds no number. */
function helpFor(cell: string, noun: string): string {
  if (MISSING.test(cell)) return "fill in what is missing, or remove the row";
  if (/^[+-]?\d+,\d+$/.test(cell)) {
    return `numbers have a point: ${cell.replace(",", ".")} (pandas: to_csv(..., decimal="."))`;
  }
  if (noun === "target") return "correct the cell, or name another column as `label`";
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
    helpFor(cell, noun),
  );
}

const placeOf = ({ row, path }: Place) => `${path}:${row.number}`;
