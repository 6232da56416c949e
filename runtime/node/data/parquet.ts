/**
 * Images and labels in the columns of Parquet files. Hugging Face's datasets
 * (https://huggingface.co/docs/datasets/image_load) hold an image as a group of its file's `bytes`
 * and `path`, and the names of a label's classes next to the schema.
 */
import { join } from "node:path";
import type { SchemaTree } from "hyparquet";
import type { DataSource } from "../../../program/recipe.js";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { encodedDataset, type EncodedImages, type EncodedOptions } from "./encoded.js";
import { isDirectory } from "./files.js";
import { numberLabels, type LabelRules } from "./labels.js";
import { ParquetFile } from "./parquet-file.js";
import { ParquetRows } from "./parquet-rows.js";
import { findShards } from "./shards.js";

/** Labels follow the rules. */
export interface ParquetOptions extends EncodedOptions, LabelRules {
  /** Bytes of rows that are kept for being asked for again, 256 MiB unless told. */
  readonly rowMemory?: number;
}

type ParquetSource = Pick<
  Extract<DataSource, { kind: "parquet" }>,
  "path" | "image" | "label" | "holdout"
>;

/**
 * The rows of all files that match, or lie in the folder. Throws a DataError where a file, a column
 * or a label is not as expected.
 */
export async function openParquet(
  { path, image, label, holdout }: ParquetSource,
  options: ParquetOptions,
): Promise<Dataset> {
  const pattern = (await isDirectory(path)) ? join(path, "*.parquet") : path;
  const files: ParquetFile[] = [];
  for (const each of await findShards(pattern, "parquet")) files.push(await ParquetFile.open(each));
  const length = files.reduce((sum, file) => sum + file.length, 0);
  if (length === 0) throw new DataError(`${path} has no rows`);
  files.forEach((file) => checkTextColumn(file, label, "label"));
  const columns = files.map((file) => imageColumn(file, image));
  refuseDifferent(files, columns);
  const texts: string[] = [];
  for (const file of files) texts.push(...(await readTexts(file, label, "label")));
  const groups = holdout?.by === undefined ? undefined : await readGroups(files, holdout.by);
  const placeOf = placesIn(files);
  const names = sameNames(files, label);
  const found = {
    name: path,
    texts,
    placeOf: (index: number) => describeRow(placeOf(index)),
    names,
  };
  const { classes, numbers } = numberLabels(found, options);
  const rows = new ParquetRows(columns[0]!, options.rowMemory);
  const images = imagesIn(placeOf, { labels: numbers, rows });
  const groupAt = groups && ((index: number) => groups[index]!);
  return encodedDataset({ name: path, classes, groupAt }, images, options);
}

/** Which group each row belongs to. */
async function readGroups(files: readonly ParquetFile[], by: string): Promise<readonly string[]> {
  const groups: string[] = [];
  for (const file of files) {
    checkTextColumn(file, by, "by");
    groups.push(...(await readTexts(file, by, "by")));
  }
  return groups;
}

interface Row {
  readonly file: ParquetFile;
  /** Counted from 0. */
  readonly row: number;
}

const describeRow = ({ file, row }: Row) => `${file.path}: row ${row}`;

/** Finds the row of an example. */
function placesIn(files: readonly ParquetFile[]): (index: number) => Row {
  let end = 0;
  const ends = files.map((file) => (end += file.length));
  return (index) => {
    const number = ends.findIndex((end) => index < end);
    const file = files[number]!;
    return { file, row: index - ends[number]! + file.length };
  };
}

function imagesIn(
  placeOf: (index: number) => Row,
  { labels, rows }: { readonly labels: Uint32Array; readonly rows: ParquetRows },
): EncodedImages {
  return {
    length: labels.length,
    at(index) {
      const place = placeOf(index);
      return {
        name: describeRow(place),
        label: labels[index]!,
        from: () => rows.read(place.file, place.row),
      };
    },
  };
}

// Columns

/** The column and where its bytes lie. Throws a DataError where it holds no images. */
function imageColumn(file: ParquetFile, name: string) {
  const column = findColumn(file, name, "image");
  const isBytes = ({ element, children }: SchemaTree) =>
    children.length === 0 && element.type === "BYTE_ARRAY" && !isText(element);
  if (!isRepeated(column) && isBytes(column)) {
    return { leaf: [name], bytesOf: bytesOrNothing };
  }
  const bytes = column.children.find(({ element }) => element.name === "bytes");
  if (!isRepeated(column) && bytes && isBytes(bytes)) {
    const bytesOf = (value: unknown) =>
      bytesOrNothing((value as { bytes?: unknown } | null)?.bytes);
    return { leaf: [name, "bytes"], bytesOf };
  }
  throw new DataError(
    `the column ${name} of ${file.path} holds ${describeColumn(column)}, ` +
      `but images are bytes, or groups with \`bytes\` among their fields`,
    otherColumns(file, "image"),
  );
}

function refuseDifferent(
  files: readonly ParquetFile[],
  columns: readonly { readonly leaf: readonly string[] }[],
): void {
  const other = columns.findIndex(({ leaf }) => leaf.length !== columns[0]!.leaf.length);
  if (other < 0) return;
  throw new DataError(
    `${files[0]!.path} and ${files[other]!.path} hold images differently: ` +
      "one as bytes, one in groups",
    "write the files of a data set in one way, or name only some of them",
  );
}

const bytesOrNothing = (value: unknown) => (value instanceof Uint8Array ? value : undefined);

/** Throws a DataError where a column holds neither whole numbers nor text. */
function checkTextColumn(file: ParquetFile, name: string, use: "label" | "by"): void {
  const column = findColumn(file, name, use);
  const { type } = column.element;
  const isNested = column.children.length > 0 || isRepeated(column);
  if (!isNested && (type === "INT32" || type === "INT64" || type === "BYTE_ARRAY")) return;
  throw new DataError(
    `the column ${name} of ${file.path} holds ${describeColumn(column)}, ` +
      `but ${use === "label" ? "labels" : "groups"} are whole numbers or text`,
    otherColumns(file, use),
  );
}

type ColumnUse = "image" | "label" | "by";

function findColumn(file: ParquetFile, name: string, use: ColumnUse): SchemaTree {
  const found = file.columns.find(({ element }) => element.name === name);
  if (found) return found;
  throw new DataError(`${file.path} has no column ${name}`, otherColumns(file, use));
}

function otherColumns({ columns }: ParquetFile, use: ColumnUse): string {
  const list = columns.map((each) => `${each.element.name} (${describeColumn(each)})`).join(", ");
  return `its columns are ${list}; parquet(..., ${use}="NAME") chooses another one`;
}

const isRepeated = ({ element }: SchemaTree) => element.repetition_type === "REPEATED";

function isText({ converted_type, logical_type }: SchemaTree["element"]): boolean {
  return converted_type === "UTF8" || logical_type?.type === "STRING";
}

function describeColumn(column: SchemaTree): string {
  const { element, children } = column;
  if (isRepeated(column) || element.converted_type === "LIST") return "lists";
  if (children.length > 0) {
    return `groups of ${children.map(({ element }) => element.name).join(" and ")}`;
  }
  if (isText(element)) return "text";
  return element.type ? KINDS[element.type] : "nothing";
}

const KINDS = {
  BOOLEAN: "truth values",
  INT32: "whole numbers",
  INT64: "whole numbers",
  INT96: "times",
  FLOAT: "numbers",
  DOUBLE: "numbers",
  BYTE_ARRAY: "bytes",
  FIXED_LEN_BYTE_ARRAY: "bytes of one length",
} as const;

// Labels

/** As text. Throws a DataError where a row has none. */
async function readTexts(file: ParquetFile, name: string, use: "label" | "by"): Promise<string[]> {
  const values = await file.readColumn(name);
  return values.map((value, row) => {
    if (typeof value === "string") return value.trim();
    if (typeof value === "bigint" || typeof value === "number") return String(value);
    throw new DataError(
      `${file.path}: row ${row} has no ${use === "label" ? "label" : "group"}: ` +
        `its ${name} is ${String(value)}`,
      `delete such rows, or choose another column: parquet(..., ${use}="NAME")`,
    );
  });
}

/** The classes' names, where files have them. Throws a DataError where two disagree. */
function sameNames(files: readonly ParquetFile[], label: string): readonly string[] | undefined {
  const names = files.map((file) => classNames(file, label));
  const other = names.findIndex((each) => String(each) !== String(names[0]));
  if (other < 0) return names[0];
  throw new DataError(
    `${files[0]!.path} and ${files[other]!.path} name the classes differently`,
    "the files of one dataset have the same classes: name others in parquet(...)",
  );
}

/** Of the `ClassLabel` that Hugging Face's library notes next to the schema. */
function classNames(file: ParquetFile, label: string): readonly string[] | undefined {
  try {
    const note = JSON.parse(file.note("huggingface") ?? "{}") as {
      info?: { features?: Record<string, { names?: unknown }> };
    };
    const names = note.info?.features?.[label]?.names;
    return Array.isArray(names) && names.length > 0 ? names.map(String) : undefined;
  } catch {
    return undefined;
  }
}
