/** Looks through a table of numbers with a column of labels. */
import { DataError } from "../runtime/data/error.js";
import { isHeader } from "../runtime/node/data/csv-header.js";
import { isNumber, readLines, type Line } from "../runtime/node/data/csv-lines.js";
import type { OneColumn, TableField } from "../program/recipe.js";
import type { ColumnOptions } from "../runtime/node/data/csv-columns.js";
import { openRows, parseCsvTable, type ReadField } from "../runtime/node/data/csv-table.js";
import { readMaybeGzipped } from "../runtime/node/data/files.js";
import { numberLabels, numberListed, type NumberedLabels } from "../runtime/node/data/labels.js";
import type { Statistics, TableSurvey } from "./survey.js";
import { chooseColumns, type ChosenColumns } from "./table-columns.js";

/**
 * Reads a csv file, whose label is in the column of that name; without a name netc looks for it.
 * Throws a DataError where no column holds classes.
 */
export async function surveyTable(path: string, label?: string): Promise<TableSurvey> {
  const bytes = await readMaybeGzipped(path);
  const notices: string[] = [];
  const chosen = chooseIn(bytes, path, label);
  const table = readTable(bytes, {
    path,
    fields: fieldsWith(chosen.label),
    ignore: chosen.ignored.map(({ name }) => name),
    by: chosen.by,
    onNotice: (notice) => notices.push(notice),
  });
  requireFeatures(table, path);
  const { listed, classes, numbers } = classesOf(table, path);
  const counts = new Array<number>(classes.length).fill(0);
  for (const number of numbers) counts[number]!++;
  const side = sideOf(table);
  const maximum = largest(table.values);
  return {
    kind: "table",
    train: path,
    label: chosen.label,
    labelName: chosen.labelName,
    ignored: chosen.ignored,
    by: chosen.by,
    listed,
    columns: table.columns,
    side,
    maximum: side !== undefined ? maximum : undefined,
    classes: classes.map((name, index) => ({ name, train: counts[index]! })),
    statistics: side === undefined ? columnStatistics(table) : pixelStatistics(table, maximum),
    notices,
  };
}

/** Features and labels of a table. */
interface LabeledTable {
  readonly labels: readonly string[];
  readonly lines: Uint32Array;
  /** Row-major. */
  readonly values: Float32Array;
  /** Features of a row. */
  readonly columns: number;
}

function readTable(bytes: Buffer, options: ColumnOptions): LabeledTable {
  const { fields, lines } = parseCsvTable(bytes, { ...options, maximum: Infinity });
  const [features, { texts: labels }] = fields as [ReadField, ReadField];
  return { labels, lines, values: features.values, columns: features.at.length };
}

/** All columns of features, and a label. */
const fieldsWith = (label: OneColumn): readonly TableField[] => [
  { name: "features", role: "input", holds: "numbers" },
  {
    name: "label",
    role: "target",
    holds: "class",
    columns: typeof label === "string" ? label : [label.column],
  },
];

/** Rows that show what columns are: all of a file of 100,000 rows would take long. */
export const MOST_LOOKED_AT = 5000;

function chooseIn(bytes: Buffer, path: string, label: string | undefined): ChosenColumns {
  const { names, rows } = openRows(bytes, { path, ...headerIn(bytes, path) });
  const some: Line[] = [];
  for (const row of rows) {
    some.push(row);
    if (some.length === MOST_LOOKED_AT) break;
  }
  if (names.length === 1) throw oneColumn(path);
  return chooseColumns({ path, names, rows: some, label });
}

/** What keeps checks of the header quiet before the columns are chosen. */
export function headerIn(bytes: Buffer, path: string) {
  const lines = readLines(bytes, { path });
  const [first, second] = [lines.next().value, lines.next().value];
  const fields = fieldsWith("last");
  if (!first || !isHeader(first, second?.cells, { path, fields })) return { fields };
  const column = first.cells.at(-1)!;
  return { fields: fieldsWith({ column }), ignore: first.cells.slice(0, -1) };
}

function requireFeatures({ columns }: LabeledTable, path: string): void {
  if (columns > 0) return;
  throw new DataError(
    `${path} has no column of numbers but for the label`,
    "a network needs at least one feature; text is not read as one",
  );
}

const oneColumn = (path: string) =>
  new DataError(
    `${path} has one column, and a network needs a label and at least one feature`,
    "cells are separated by commas, semicolons or tabs",
  );

/** Class numbers; `listed` where labels are numbers other than 0, 1, 2 and so on. */
export function classesOf(
  { labels, lines }: Pick<LabeledTable, "labels" | "lines">,
  path: string,
): NumberedLabels & { readonly listed?: readonly string[] } {
  const found = { name: path, texts: labels, placeOf: (row: number) => `${path}:${lines[row]}` };
  const different = [...new Set(labels)];
  const values = [...new Set(different.map(Number))].sort((a, b) => a - b);
  const areCounted = values.every((value, at) => value === at);
  if (!different.every(isNumber) || areCounted) return numberLabels(found, {});
  const listed = values.map(String);
  return { listed, ...numberListed(found, listed, {}) };
}

/** The side of the square whose gray pixels a row seems to hold: whole numbers from 0 to 255. */
function sideOf({ columns, values }: LabeledTable): number | undefined {
  const side = Math.sqrt(columns);
  if (!Number.isInteger(side) || side < SMALLEST_IMAGE) return undefined;
  const arePixels = values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);
  return arePixels ? side : undefined;
}

/** MNIST in small has 8 x 8 pixels. */
const SMALLEST_IMAGE = 8;

function columnStatistics({ columns, values }: LabeledTable): Statistics {
  const rows = values.length / columns;
  const of = (column: number) =>
    Array.from({ length: rows }, (_, row) => values[row * columns + column]!);
  const all = Array.from({ length: columns }, (_, column) => meanAndDeviation(of(column)));
  return { mean: all.map(({ mean }) => mean), std: all.map(({ std }) => std) };
}

function pixelStatistics({ values }: LabeledTable, maximum: number): Statistics {
  const { mean, std } = meanAndDeviation(values, maximum);
  return { mean: [mean], std: [std] };
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 1);
}

function meanAndDeviation(values: ArrayLike<number>, unit = 1) {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]! / unit;
  const mean = sum / values.length;
  // Deviations are summed, not squares, whose digits are lost where the mean is large.
  let squares = 0;
  for (let at = 0; at < values.length; at++) squares += (values[at]! / unit - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}
