/** Standardized columns: by the rows that are trained on, and by the same numbers ever after. */
import type { CsvSource, TableField } from "../../../program/recipe.js";
import type { Scale, TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { examplesOf, type Divided } from "../../data/holdout.js";
import { namePattern, shown } from "./csv-columns.js";
import type { CsvTable, ReadField } from "./csv-table.js";
import type { LabelRules } from "./labels.js";

interface Measured {
  /** What decides which rows are trained on. */
  readonly dataset: Divided;
  readonly source: CsvSource;
  readonly rules: LabelRules;
}

/**
 * Standardizes the values of a table in place, and returns by what. Throws a DataError where a
 * table to evaluate on is not told, and for a name that no column of an input has.
 */
export function standardizeTable(
  table: CsvTable,
  { dataset, source, rules }: Measured,
): TableFacts["scale"] {
  const fields = table.fields.filter(({ standardize }) => standardize);
  if (fields.length === 0) return undefined;
  refuseUnknownNames(fields, source);
  const rows = rowsToMeasure(dataset, source);
  const measured = fields.map((field) => {
    const known = rules.table?.scale?.[field.name];
    if (!known && rules.isEvaluation) throw unknownScale(source.path, field);
    return [field.name, known ?? measureScale(field, rows, { source, rules })] as const;
  });
  const scale = Object.fromEntries(measured);
  applyScale(fields, { scale, path: source.path });
  return scale;
}

/** Standardizes values in place. Throws a DataError for a field that `scale` does not have. */
export function applyScale(
  fields: readonly Pick<ReadField, "name" | "at" | "values" | "standardize">[],
  { scale, path }: { readonly scale: TableFacts["scale"]; readonly path: string },
): void {
  for (const field of fields) {
    if (!field.standardize) continue;
    const { values, at } = field;
    const { mean, std } = scale?.[field.name] ?? {};
    if (mean?.length !== at.length || std?.length !== at.length) throw unknownScale(path, field);
    for (let index = 0; index < values.length; index++) {
      const column = index % at.length;
      values[index] = (values[index]! - mean[column]!) / std[column]!;
    }
  }
}

function unknownScale(path: string, { name }: Pick<TableField, "name">): DataError {
  return new DataError(
    `${path}: nothing says by which means and deviations the columns of \`${name}\` were ` +
      "standardized in training",
    "weights that `netc train` has written say it; else the table of the train split must be there",
  );
}

/** All but those held out. */
function rowsToMeasure(dataset: Divided, { holdout }: CsvSource): Uint32Array {
  if (holdout) return examplesOf(dataset, { ...holdout, takes: "rest" });
  return Uint32Array.from({ length: dataset.length }, (_, row) => row);
}

/** Whether each column of a field is standardized. */
function areChosen({ names, standardize }: ReadField): readonly boolean[] {
  const { columns } = standardize!;
  if (!columns) return names.map(() => true);
  const patterns = columns.map(namePattern);
  return names.map((name) => patterns.some((pattern) => pattern.test(name)));
}

function refuseUnknownNames(fields: readonly ReadField[], { path }: CsvSource): void {
  const wanted = fields[0]!.standardize!.columns ?? [];
  const names = fields.flatMap((field) => field.names);
  const unknown = wanted.find((each) => !names.some((name) => namePattern(each).test(name)));
  if (unknown === undefined) return;
  throw new DataError(
    `${path}: no input of numbers has a column ${unknown}, which \`standardize\` names`,
    `their columns are ${shown(names)}`,
  );
}

/** Sums in 64 bits; the deviation is divided by the number of values, as in scikit-learn. */
function measureScale(
  field: ReadField,
  rows: Uint32Array,
  { source, rules }: Pick<Measured, "source" | "rules">,
): Scale {
  const { at, values, names, standardize } = field;
  const { channels, isLast } = standardize!;
  const width = at.length;
  const channelOf = (column: number) =>
    isLast ? column % channels : Math.floor((column * channels) / width);
  const chosen = areChosen(field);
  const members = Array.from({ length: channels }, (_, channel) =>
    at.map((_, column) => column).filter((each) => chosen[each] && channelOf(each) === channel),
  );
  const mean = new Array<number>(width).fill(0);
  const std = new Array<number>(width).fill(1);
  const constant: string[] = [];
  for (const columns of members) {
    if (columns.length === 0) continue;
    const own = momentsOf(values, { rows, columns, width });
    if (own.std === 0) constant.push(...columns.map((column) => names[column]!));
    for (const column of columns) {
      mean[column] = own.mean;
      std[column] = own.std || 1;
    }
  }
  if (constant.length > 0) {
    rules.onNotice?.(
      `${source.path}: the same number is in all rows that are trained on of ` +
        `${constant.length === 1 ? "the column" : `${constant.length} columns`} ` +
        `${shown(constant)}: standardized, it is 0`,
    );
  }
  return { mean, std };
}

interface Cells {
  readonly rows: Uint32Array;
  readonly columns: readonly number[];
  readonly width: number;
}

function momentsOf(values: Float32Array, { rows, columns, width }: Cells) {
  const count = rows.length * columns.length;
  let sum = 0;
  for (const row of rows) for (const column of columns) sum += values[row * width + column]!;
  const mean = sum / count;
  // Deviations are summed, not squares, whose digits are lost where the mean is large.
  let squares = 0;
  for (const row of rows) {
    for (const column of columns) squares += (values[row * width + column]! - mean) ** 2;
  }
  const std = Math.sqrt(squares / count);
  // Rounding leaves a little of equal numbers.
  return { mean, std: std > Math.abs(mean) * LEAST_SPREAD ? std : 0 };
}

const LEAST_SPREAD = 1e-12;
