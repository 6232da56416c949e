/** Which columns of a CSV file are what. */
import type { TableField } from "../../../program/recipe.js";
import type { TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";

export interface ColumnOptions {
  /** For messages. */
  readonly path: string;
  readonly fields: readonly TableField[];
  /** Columns that are not read. */
  readonly ignore?: readonly string[] | undefined;
  /** The column that says which rows belong together; it is not read as data. */
  readonly by?: string | undefined;
  /** What the columns are in the table that is trained on, which finds them here by name. */
  readonly known?: TableFacts["columns"] | undefined;
  /** Receives what the user should know although nothing is wrong. */
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/** An input or a target, and where a row has it. */
export interface PlacedField extends TableField {
  /** Positions in a row, from 0. */
  readonly at: readonly number[];
}

export interface ColumnRoles {
  readonly fields: readonly PlacedField[];
  /** The column that says which rows belong together. */
  readonly group: number | undefined;
}

/** Names of columns where there is no header: `1`, `2` and so on. */
export const countedColumns = (length: number): readonly string[] =>
  Array.from({ length }, (_, column) => String(column + 1));

/**
 * Throws a DataError for a name that no column has, a column of two roles, and a field of another
 * number of columns.
 */
export function rolesOf(names: readonly string[], options: ColumnOptions): ColumnRoles {
  const { ignore = [], by, fields, known } = options;
  const find = (name: string, whose: string) => columnOf(name, whose, { names, ...options });
  const ignored = ignore.map((name) => find(name, "which `ignore` names"));
  const group = by === undefined ? undefined : find(by, "which `by` names");
  const left = new Set([...ignored, ...(group === undefined ? [] : [group])]);
  const others = names.map((_, column) => column).filter((column) => !left.has(column));
  const named = fields.map((field) => {
    const trained = known?.[field.name];
    if (trained)
      return trained.map((name) =>
        find(name, `for \`${field.name}\`, which the trained table has`),
      );
    return declaredColumns(field, names, { others, find });
  });
  refuseTwice({ names, named, ignored, group }, options);
  const taken = new Set(named.flatMap((columns) => columns ?? []));
  const free = others.filter((column) => !taken.has(column));
  if (named.every((columns) => columns !== undefined)) noteUnread(free, names, options);
  const placed = fields.map((field, index) => ({ ...field, at: named[index] ?? free }));
  placed.forEach((field) => checkCount(field, names, options));
  return { fields: placed, group };
}

interface Finding {
  /** Those that may be read. */
  readonly others: readonly number[];
  readonly find: (name: string, whose: string) => number;
}

/** Undefined for a field that has all columns that no other one has. */
function declaredColumns(
  { columns, name: field }: TableField,
  names: readonly string[],
  { others, find }: Finding,
): readonly number[] | undefined {
  if (columns === undefined) return undefined;
  if (typeof columns === "string") return [endColumn(names, columns)];
  return columns.flatMap((name) => {
    const matching = isPattern(name) && !names.includes(name) ? namePattern(name) : undefined;
    const found = matching ? others.filter((column) => matching.test(names[column]!)) : [];
    return found.length > 0 ? found : [find(name, `for \`${field}\``)];
  });
}

const isPattern = (name: string) => name.includes("*");

/** Finds the columns of a name, or of a pattern with `*`. */
export const namePattern = (name: string): RegExp =>
  new RegExp(`^${name.split("*").map(escaped).join(".*")}$`, "su");

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

interface Assigned {
  readonly names: readonly string[];
  readonly named: readonly (readonly number[] | undefined)[];
  readonly ignored: readonly number[];
  readonly group: number | undefined;
}

/** A column holds one thing. */
function refuseTwice(
  { names, named, ignored, group }: Assigned,
  { fields, path }: Pick<ColumnOptions, "fields" | "path">,
): void {
  const holders = new Map<number, string>();
  named.forEach((columns = [], index) => {
    const { name } = fields[index]!;
    for (const column of columns) {
      const before = holders.get(column);
      const other =
        before === undefined
          ? column === group
            ? "is also given as `by`"
            : ignored.includes(column)
              ? "is also given as one to ignore"
              : undefined
          : before === name
            ? "is named twice"
            : `also holds \`${before}\``;
      holders.set(column, name);
      if (other === undefined) continue;
      throw new DataError(
        `${path}: the column ${names[column]} holds \`${name}\`, and ${other}`,
        `write another column for one of them: csv(..., ${name}="NAME")`,
      );
    }
  });
}

/** Nothing is left out unsaid. */
function noteUnread(
  free: readonly number[],
  names: readonly string[],
  { path, onNotice }: Pick<ColumnOptions, "path" | "onNotice">,
): void {
  if (free.length === 0) return;
  const [columns, are, them] =
    free.length === 1 ? ["the column", "is", "it"] : [`${free.length} columns`, "are", "them"];
  const list = shown(free.map((column) => names[column]!));
  onNotice?.(`${path}: ${columns} ${list} ${are} not read: no input or target has ${them}`);
}

function checkCount(
  { name, role, size, at, columns }: PlacedField,
  names: readonly string[],
  { path }: Pick<ColumnOptions, "path">,
): void {
  if (size === undefined || at.length === size) return;
  const came = at.length === 1 ? "1 column is" : `${at.length} columns are`;
  const list = at.length > 0 ? `: ${shown(at.map((column) => names[column]!))}` : "";
  const which = columns === undefined ? "left" : "named";
  const wanted = size === 1 ? "1 number" : `${size} numbers`;
  throw new DataError(
    `${path}: the model's ${role} \`${name}\` has ${wanted}, but ${came} ${which} for it${list}`,
    columns === undefined
      ? `name them, csv(..., ${name}=["FIRST", "SECOND"]), or leave columns out with ` +
          'ignore=["NAME"]'
      : `name ${size === 1 ? "1 column" : `${size} columns`}, in the order of the shape`,
  );
}

/** The position of the label at an end of rows. */
export const endColumn = (names: readonly string[], label: "first" | "last"): number =>
  label === "first" ? 0 : names.length - 1;

function columnOf(
  name: string,
  whose: string,
  { names, path }: { readonly names: readonly string[]; readonly path: string },
): number {
  const found = names.indexOf(name);
  if (found >= 0) return found;
  throw new DataError(
    `${path} has no column ${name}${whose.startsWith("for") ? "" : ","} ${whose}`,
    `its columns are ${shown(names)}`,
  );
}

export const shown = (names: readonly string[]) =>
  names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", ..." : "");

const MOST_NAMED = 20;

/** Tells which names the spec, or the table that is trained on, gives to columns. */
export function nameTester({
  fields,
  ignore = [],
  by,
  known = {},
}: Omit<ColumnOptions, "path">): (cell: string) => boolean {
  const declared = fields.flatMap(({ columns = [] }) =>
    typeof columns === "string" ? [] : columns,
  );
  const own = [...declared, ...ignore, ...(by === undefined ? [] : [by])];
  const names = new Set([...own, ...Object.values(known).flat()]);
  const patterns = declared.filter(isPattern).map(namePattern);
  return (cell) => names.has(cell) || patterns.some((pattern) => pattern.test(cell));
}
