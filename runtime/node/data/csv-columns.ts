/** Which columns of a CSV file are what. */
import type { LabelColumn } from "../../../program/recipe.js";
import { DataError } from "../../data/error.js";
import { isNumber, type CsvOptions } from "./csv-lines.js";

type ColumnOptions = Pick<CsvOptions, "label" | "ignore" | "by" | "path">;

/** Positions in a row, from 0. */
export interface ColumnRoles {
  readonly labels: readonly number[];
  /** The column that says which rows belong together. */
  readonly group?: number;
  /** Pixels or features. */
  readonly values: readonly number[];
}

/** Names of columns where there is no header: `1`, `2` and so on. */
export const countedColumns = (length: number): readonly string[] =>
  Array.from({ length }, (_, column) => String(column + 1));

/** Throws a DataError for a name that no column has, and a column of two roles. */
export function rolesOf(names: readonly string[], options: ColumnOptions): ColumnRoles {
  const { ignore = [], by } = options;
  const ignored = ignore.map((name) => columnOf(name, "ignore", { names, ...options }));
  const group = by === undefined ? undefined : columnOf(by, "by", { names, ...options });
  const labels = labelColumns(names, options);
  const twice = labels.find((label) => label === group || ignored.includes(label));
  if (twice !== undefined) {
    throw new DataError(
      `${options.path}: the column ${names[twice]} holds the label, and is also given as ` +
        (twice === group ? "`by`" : "one to ignore"),
      'write another column for one of them: csv(..., label="NAME")',
    );
  }
  const others = new Set([...labels, group, ...ignored]);
  const values = names.map((_, column) => column).filter((column) => !others.has(column));
  return { labels, group, values };
}

/** The positions of the label, or the target's numbers, in rows with columns of these names. */
function labelColumns(
  names: readonly string[],
  { label, path }: Pick<ColumnOptions, "label" | "path">,
): readonly number[] {
  if (typeof label === "string") return [endColumn(names, label)];
  return namesOf(label).map((name) => columnOf(name, "label", { names, path }));
}

interface ToPredict extends ColumnOptions {
  /** How many columns the network reads. */
  readonly features: number;
  /** Their names, where a header has names and those of the trained table are known. */
  readonly known: readonly string[] | undefined;
}

/** The columns of features in a table that may have labels, or not. Throws a DataError. */
export function columnsToPredict(
  names: readonly string[],
  { features, known, ...options }: ToPredict,
): readonly number[] {
  const { path, ignore = [], by } = options;
  if (known) return known.map((name) => trainedColumn(name, names, path));
  const isLeft = (name: string) => !ignore.includes(name) && name !== by;
  const left = names.flatMap((name, column) => (isLeft(name) ? [column] : []));
  if (left.length === features) return left;
  const labels = left.length > features ? labelColumns(names, options) : [];
  const others = left.filter((column) => !labels.includes(column));
  if (others.length === features) return others;
  throw new DataError(
    `${path} has ${left.length} columns to read, but the network reads ${features} features`,
    "a row has the features in the order of the trained table, with its label or without",
  );
}

function trainedColumn(name: string, names: readonly string[], path: string): number {
  const found = names.indexOf(name);
  if (found >= 0) return found;
  throw new DataError(
    `${path} has no column ${name}, which the trained table has`,
    `its columns are ${shown(names)}`,
  );
}

/** The position of the label at an end of rows. */
export const endColumn = (names: readonly string[], label: "first" | "last"): number =>
  label === "first" ? 0 : names.length - 1;

const namesOf = (label: Exclude<LabelColumn, string>): readonly string[] =>
  "column" in label ? [label.column] : label.columns;

function columnOf(
  name: string,
  argument: "label" | "ignore" | "by",
  { names, path }: { readonly names: readonly string[]; readonly path: string },
): number {
  const found = names.indexOf(name);
  if (found >= 0) return found;
  throw new DataError(
    `${path} has no column ${name}, which \`${argument}\` names`,
    `its columns are ${shown(names)}`,
  );
}

const shown = (names: readonly string[]) =>
  names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", ..." : "");

const MOST_NAMED = 20;

/** Whether a line has a name in it that the spec gives to a column: only a header has. */
export function namesColumn(
  cells: readonly string[],
  { label, ignore = [], by }: Omit<ColumnOptions, "path">,
): boolean {
  const own = typeof label === "object" ? namesOf(label) : [];
  const named = [...own, ...ignore, ...(by === undefined ? [] : [by])];
  return named.some((name) => !isNumber(name) && cells.includes(name));
}
