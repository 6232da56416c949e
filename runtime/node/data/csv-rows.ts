/** Rows of a CSV file without labels, to predict. */
import { basename } from "node:path";
import type { DataSource } from "../../../program/recipe.js";
import type { Dataset, InputShape } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { columnsToPredict, rolesOf } from "./csv-columns.js";
import type { CsvOptions } from "./csv-lines.js";
import { openRows, readFeatures } from "./csv-table.js";
import { readMaybeGzipped } from "./files.js";

type CsvSource = Extract<DataSource, { kind: "csv" }>;

const optionsOf = ({ path, label, ignore, holdout }: CsvSource): CsvOptions => ({
  path,
  label,
  ignore,
  by: holdout?.by,
  maximum: Infinity,
  noun: "feature",
});

type Names = readonly string[] | undefined;

/**
 * The names of a table's features, in their order; undefined where it has no header, or cannot be
 * read.
 */
export async function featureNames(source: CsvSource): Promise<Names> {
  try {
    const options = optionsOf(source);
    const { names, header } = openRows(await readMaybeGzipped(source.path), options);
    return header && rolesOf(names, options).values.map((column) => names[column]!);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/**
 * The rows, in memory, as images of the network's size: the columns of the `known`
 * names, where there is a header. Throws a DataError for a column that is missing, and for rows of
 * another number of features.
 */
export async function openUnlabeled(
  source: CsvSource,
  size: InputShape,
  { known, onNotice }: Pick<CsvOptions, "onNotice"> & { readonly known: Names },
): Promise<Dataset> {
  const { path, maximum } = source;
  const options = { ...optionsOf(source), onNotice };
  const features = size.channels * size.height * size.width;
  const opened = openRows(await readMaybeGzipped(path), options);
  const { names, header } = opened;
  const columns = columnsToPredict(names, { ...options, features, known: header && known });
  const { lines, rows } = readFeatures(opened, columns, options);
  const description = {
    name: basename(path),
    classes: [],
    length: rows.length,
    pixels: "floats",
    nameAt: (row: number) => `${path}:${lines[row]}`,
  } as const;
  return datasetInMemory(description, (row) => {
    const image = { ...size, pixels: interleave(rows[row]!, size.channels), maximum };
    return { image, label: 0 };
  });
}
