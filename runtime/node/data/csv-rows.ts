/** Rows of a CSV file without labels, to predict. */
import { basename } from "node:path";
import type { CsvSource, TableField } from "../../../program/recipe.js";
import type { Dataset, InputShape, TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { columnOptions, fieldsOf } from "./csv.js";
import { rolesOf, type ColumnOptions, type ColumnRoles } from "./csv-columns.js";
import { openRows, readRows, type CsvRows } from "./csv-table.js";
import { readMaybeGzipped } from "./files.js";
import { applyScale } from "./table-scale.js";
import { joinedParts, partsOf } from "./table-parts.js";

/** What the columns of a table are, by its header; undefined where there is none to be read. */
export async function columnsOfTable(
  source: CsvSource,
  size: InputShape,
): Promise<TableFacts["columns"]> {
  try {
    const options = columnOptions(source, fieldsOf(source, size));
    const { names, header } = openRows(await readMaybeGzipped(source.path), options);
    if (!header) return undefined;
    const { fields } = rolesOf(names, options);
    const named = fields.map(({ name, at }) => [name, at.map((column) => names[column]!)] as const);
    return Object.fromEntries(named);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/**
 * The rows, in memory, as images of the network's size, or with the numbers of all inputs: the
 * columns of the names in `table`, where there is a header. Throws a DataError for a column that is
 * missing, and for rows of another number of features.
 */
export async function openUnlabeled(
  source: CsvSource,
  size: InputShape,
  { table, onNotice }: Pick<ColumnOptions, "onNotice"> & { readonly table: TableFacts },
): Promise<Dataset> {
  const { columns: known, scale } = table;
  const { path, maximum } = source;
  const all = fieldsOf(source, size);
  const given = columnOptions(source, all);
  const opened = openRows(await readMaybeGzipped(path), { ...given, known, onNotice });
  const roles = rolesToPredict(opened, all, { ...given, known: opened.header && known });
  const { fields, lines } = readRows(opened, roles, { ...given, maximum });
  applyScale(fields, { scale, path });
  const { values, columns } = joinedParts(fields, lines.length, maximum);
  const isOne = fields.length === 1;
  const own = isOne ? size : { channels: columns, height: 1, width: 1 };
  const description = {
    name: basename(path),
    classes: [],
    length: lines.length,
    pixels: "floats",
    nameAt: (row: number) => `${path}:${lines[row]}`,
    parts: partsOf(fields),
  } as const;
  return datasetInMemory(description, (row) => {
    const planes = values.subarray(row * columns, (row + 1) * columns);
    const pixels = interleave(planes, own.channels);
    return { image: { ...own, pixels, maximum: isOne ? maximum : 1 }, label: 0 };
  });
}

/** Where rows have the inputs: by name, or in the order of the trained table, which has targets. */
function rolesToPredict(
  { names }: CsvRows,
  all: readonly TableField[],
  options: ColumnOptions,
): ColumnRoles {
  const fields = all.filter(({ role }) => role === "input");
  const isLeft = (name: string) => !options.ignore?.includes(name) && name !== options.by;
  const ignore = names.filter((name) => !isLeft(name));
  const inputs = { path: options.path, fields, ignore, known: options.known };
  if (options.known) return rolesOf(names, inputs);
  const [rest] = fields.filter(({ columns }) => columns === undefined);
  const others = fields.filter((field) => field !== rest);
  const wanted = fields.reduce((sum, { size = 0 }) => sum + size, 0);
  const left = names.length - ignore.length;
  if (left === wanted || (!rest && others.length > 0)) return rolesOf(names, inputs);
  const targets = all.filter(({ role }) => role === "target");
  const withTargets = targets.reduce((sum, { size = 1 }) => sum + size, wanted);
  if (left !== withTargets) {
    throw new DataError(
      `${options.path} has ${left} columns to read, but the network reads ${wanted} features`,
      "a row has the features in the order of the trained table, with its label or without",
    );
  }
  const { fields: placed } = rolesOf(names, { ...options, ignore, by: undefined });
  return { fields: placed.filter(({ role }) => role === "input"), group: undefined };
}
