/** Looks through a table of numbers with a column of labels. */
import { DataError } from "../runtime/data/error.js";
import type { CsvTable } from "../runtime/node/data/csv-table.js";
import { parseCsvTable } from "../runtime/node/data/csv-table.js";
import { readMaybeGzipped } from "../runtime/node/data/files.js";
import { numberLabels } from "../runtime/node/data/labels.js";
import type { Statistics, TableSurvey } from "./survey.js";

/** Reads a csv file with its label first or last. Throws a DataError where it is neither. */
export async function surveyTable(path: string): Promise<TableSurvey> {
  const bytes = await readMaybeGzipped(path);
  const notices: string[] = [];
  const { table, label } = readTable(bytes, path, (notice) => notices.push(notice));
  const { classes, numbers } = numberLabels(
    {
      name: path,
      texts: table.labels,
      placeOf: (index) => `${path}:${table.lines[index]}`,
    },
    {},
  );
  const counts = new Array<number>(classes.length).fill(0);
  for (const number of numbers) counts[number]!++;
  const side = sideOf(table);
  const maximum = largest(table.values);
  return {
    kind: "table",
    train: path,
    label,
    columns: table.columns,
    side,
    maximum: side !== undefined ? maximum : undefined,
    classes: classes.map((name, index) => ({ name, train: counts[index]! })),
    statistics: side === undefined ? columnStatistics(table) : pixelStatistics(table, maximum),
    notices,
  };
}

interface ReadTable {
  readonly table: CsvTable;
  readonly label: "first" | "last";
}

/** The label is last unless only the first column can be it. */
function readTable(bytes: Buffer, path: string, onNotice: (notice: string) => void): ReadTable {
  const read = (label: "first" | "last", onNotice?: (notice: string) => void) =>
    parseCsvTable(bytes, { path, label, maximum: Infinity, noun: "feature", onNotice });
  const [last, first] = [attempt(() => read("last")), attempt(() => read("first"))];
  requireFeatures(last, path);
  if (areClasses(last)) return { table: read("last", onNotice), label: "last" };
  if (areClasses(first)) return { table: read("first", onNotice), label: "first" };
  if (last instanceof DataError) throw last;
  throw new DataError(
    `${path}: neither the first nor the last column holds classes`,
    "a label is a name, or a whole number from 0, in the first or the last column, and " +
      "several rows share it; numbers to predict are not read from csv files",
  );
}

function requireFeatures(table: CsvTable | DataError, path: string): void {
  if (table instanceof DataError || table.columns > 0) return;
  throw new DataError(
    `${path} has one column, and a network needs a label and at least one feature`,
    "cells are separated by commas, semicolons or tabs",
  );
}

function attempt(read: () => CsvTable): CsvTable | DataError {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}

/** Few different labels: names, or whole numbers from 0. */
function areClasses(table: CsvTable | DataError): table is CsvTable {
  if (table instanceof DataError) return false;
  const different = new Set(table.labels);
  if (different.size > Math.max(2, table.labels.length / 2)) return false;
  const numbers = [...different].map(Number);
  const areNumbers = numbers.every((number) => Number.isFinite(number));
  return !areNumbers || numbers.every((number) => Number.isInteger(number) && number >= 0);
}

/** The side of the square whose gray pixels a row seems to hold: whole numbers from 0 to 255. */
function sideOf({ columns, values }: CsvTable): number | undefined {
  const side = Math.sqrt(columns);
  if (!Number.isInteger(side) || side < SMALLEST_IMAGE) return undefined;
  const arePixels = values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);
  return arePixels ? side : undefined;
}

/** MNIST in small has 8 x 8 pixels. */
const SMALLEST_IMAGE = 8;

function columnStatistics({ columns, values }: CsvTable): Statistics {
  const rows = values.length / columns;
  const of = (column: number) =>
    Array.from({ length: rows }, (_, row) => values[row * columns + column]!);
  const all = Array.from({ length: columns }, (_, column) => meanAndDeviation(of(column)));
  return { mean: all.map(({ mean }) => mean), std: all.map(({ std }) => std) };
}

function pixelStatistics({ values }: CsvTable, maximum: number): Statistics {
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
