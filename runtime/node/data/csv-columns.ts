/** Which columns of a CSV file are what. */
import { DataError } from "../../data/error.js";
import { isNumber, type CsvOptions } from "./csv-lines.js";

type ColumnOptions = Pick<CsvOptions, "label" | "ignore" | "by" | "path">;

/** Positions in a row, from 0. */
export interface ColumnRoles {
  readonly label: number;
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
  const label = labelColumn(names, options);
  if (label === group || ignored.includes(label)) {
    throw new DataError(
      `${options.path}: the column ${names[label]} holds the label, and is also given as ` +
        (label === group ? "`by`" : "one to ignore"),
      'write another column for one of them: csv(..., label="NAME")',
    );
  }
  const others = new Set([label, group, ...ignored]);
  const values = names.map((_, column) => column).filter((column) => !others.has(column));
  return { label, group, values };
}

/** The position of the label in rows with columns of these names. */
export function labelColumn(
  names: readonly string[],
  { label, path }: Pick<ColumnOptions, "label" | "path">,
): number {
  if (label === "first") return 0;
  if (label === "last") return names.length - 1;
  return columnOf(label.column, "label", { names, path });
}

function columnOf(
  name: string,
  argument: "label" | "ignore" | "by",
  { names, path }: { readonly names: readonly string[]; readonly path: string },
): number {
  const found = names.indexOf(name);
  if (found >= 0) return found;
  const shown = names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", ..." : "");
  throw new DataError(
    `${path} has no column ${name}, which \`${argument}\` names`,
    `its columns are ${shown}`,
  );
}

const MOST_NAMED = 20;

/** Whether a line has a name in it that the spec gives to a column: only a header has. */
export function namesColumn(
  cells: readonly string[],
  { label, ignore = [], by }: Omit<ColumnOptions, "path">,
): boolean {
  const own = typeof label === "object" ? [label.column] : [];
  const named = [...own, ...ignore, ...(by === undefined ? [] : [by])];
  return named.some((name) => !isNumber(name) && cells.includes(name));
}
