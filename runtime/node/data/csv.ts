/**
 * Rows of a CSV file, gzipped or not: an image in the order channels, rows, columns, or any
 * numbers, and a class or numbers to predict.
 */
import { basename } from "node:path";
import { labelColumns } from "../../../program/label-columns.js";
import type { CsvSource, TableField } from "../../../program/recipe.js";
import type { Dataset, Example, Image, InputShape, TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { convertChannels, interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { contentsOfTable } from "./contents.js";
import { rolesOf, type ColumnOptions } from "./csv-columns.js";
import {
  columnNames,
  openRows,
  parseCsvTable,
  type CsvTable,
  type ReadField,
} from "./csv-table.js";
import { readMaybeGzipped } from "./files.js";
import type { LabelRules } from "./labels.js";
import { standardizeTable } from "./table-scale.js";
import { joinedParts, partsOf, targetsOf } from "./table-parts.js";

/**
 * The rows, in memory. `shape` tells how pixels are arranged where their number leaves a choice;
 * labels follow the rules.
 */
export async function openCsv(
  source: CsvSource,
  shape: InputShape & { readonly channels: 1 | 3 },
  rules: LabelRules = {},
): Promise<Dataset> {
  const { path, maximum } = source;
  const table = await readTable(source, fieldsOf(source), rules);
  const [image] = inputsOf(table) as [ReadField];
  const columns = image.at.length;
  const size = imageSize(path, columns, shape);
  const values = asBytesIfExact(image);
  const pixels = values instanceof Uint8Array ? "bytes" : "floats";
  const largestPixel = image.values.reduce((most, value) => Math.max(most, value), 0);
  const { description, of } = describe(table, source, rules);
  return datasetInMemory({ ...description, pixels, largestPixel }, (row) => {
    const planes = values.subarray(row * columns, (row + 1) * columns);
    const own: Image = { ...size, pixels: interleave(planes, size.channels), maximum };
    return { image: convertChannels(own, shape.channels), ...of(row) };
  });
}

/**
 * The rows, in memory: of one input as images of its size, a channel for each feature, whose
 * channels come one after the other; of several inputs as images of 1x1 with the numbers of all.
 * Throws a DataError for rows of another number of features.
 */
export async function openFeatures(
  source: CsvSource,
  size: InputShape,
  rules: LabelRules = {},
): Promise<Dataset> {
  const table = await readTable(source, fieldsOf(source, size), rules);
  const { description: plain, of } = describe(table, source, rules);
  const scale = standardizeTable(table, { dataset: plain, source, rules });
  const description = { ...plain, table: { ...plain.table, scale } };
  const inputs = inputsOf(table);
  const { values, columns } = joinedParts(inputs, table.lines.length, source.maximum);
  const own = inputs.length > 1 ? { channels: columns, height: 1, width: 1 } : size;
  const maximum = inputs.length > 1 ? 1 : source.maximum;
  return datasetInMemory({ ...description, pixels: "floats" }, (row) => {
    const planes = values.subarray(row * columns, (row + 1) * columns);
    const image: Image = { ...own, pixels: interleave(planes, own.channels), maximum };
    return { image, ...of(row) };
  });
}

const inputsOf = ({ fields }: CsvTable) => fields.filter(({ role }) => role === "input");

/** As the spec has them, or one input of this size, and a label. */
export function fieldsOf(
  { fields, label, numbers }: CsvSource,
  size?: InputShape,
): readonly TableField[] {
  if (fields) return fields;
  const count = size && size.channels * size.height * size.width;
  const target = { role: "target", name: "label", columns: labelColumns(label) } as const;
  return [
    { role: "input", name: size ? "x" : "image", holds: size ? "numbers" : "pixels", size: count },
    numbers === undefined
      ? { ...target, holds: "class", size: 1 }
      : { ...target, holds: "numbers", size: numbers },
  ];
}

export async function readTable(
  source: CsvSource,
  fields: readonly TableField[],
  { onNotice, table }: LabelRules,
): Promise<CsvTable> {
  const { path, maximum } = source;
  const own = columnOptions(source, fields);
  const bytes = await readMaybeGzipped(path);
  return parseCsvTable(bytes, { ...own, known: table?.columns, maximum, onNotice });
}

/** What a table's columns are by the source alone; no row is read. Undefined without a header. */
export async function columnsOfTable(
  source: CsvSource,
  size: InputShape,
): Promise<TableFacts["columns"]> {
  const sized = source.holds === "features" ? size : undefined;
  const options = columnOptions(source, fieldsOf(source, sized));
  const { names, header } = openRows(await readMaybeGzipped(source.path), options);
  return header && columnNames(rolesOf(names, options).fields, names);
}

/** What the source says of its columns. */
export function columnOptions(
  { path, ignore, holdout }: CsvSource,
  fields: readonly TableField[],
): ColumnOptions {
  return { path, fields, ignore, by: holdout?.by };
}

/** What a dataset says of the table, and what it gives of a row beyond the inputs. */
export function describe(table: CsvTable, source: CsvSource, rules: LabelRules) {
  const { path } = source;
  const { lines, groups, columns } = table;
  const targets = targetsOf(table, source, rules);
  const description = {
    name: basename(path),
    classes: targets.classes,
    length: lines.length,
    contents: contentsOfTable(table),
    labelAt: targets.labelAt,
    nameAt: (row: number) => `${path}:${lines[row]}`,
    groupAt: groups && ((row: number) => groups[row]!),
    parts: partsOf(table.fields),
    table: { columns, classes: targets.names },
  } as const;
  const of = (row: number): Pick<Example, "label" | "numbers"> => targets.of(row);
  return { description, of };
}

/** The network's size where the pixels agree with it, otherwise a square of gray or RGB. */
function imageSize(path: string, pixels: number, shape: InputShape): InputShape {
  if (pixels === shape.channels * shape.height * shape.width) return shape;
  for (const channels of [1, 3]) {
    const side = Math.sqrt(pixels / channels);
    if (Number.isInteger(side)) return { channels, height: side, width: side };
  }
  const { channels, height, width } = shape;
  throw new DataError(
    `${path} has ${pixels} pixels a row, which is neither the network's input ` +
      `(${channels}x${height}x${width} = ${channels * height * width}) nor a square ` +
      "of gray or RGB",
  );
}

/** A quarter of the memory for the usual case of whole numbers up to 255. */
function asBytesIfExact({ values }: Pick<ReadField, "values">): Uint8Array | Float32Array {
  const exact = values.every((value) => value >= 0 && value <= 255 && Number.isInteger(value));
  return exact ? Uint8Array.from(values) : values;
}
