/**
 * Rows of a CSV file, gzipped or not, as images or features: pixels in the order channels, rows,
 * columns, or any numbers, and a label.
 */
import { basename } from "node:path";
import type { DataSource } from "../../../program/recipe.js";
import type { Dataset, Example, Image, InputShape } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { convertChannels, interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import type { CsvOptions } from "./csv-lines.js";
import { parseCsvTable, type CsvTable } from "./csv-table.js";
import { readMaybeGzipped } from "./files.js";
import { numberLabels, numberListed, type LabelRules } from "./labels.js";

type CsvSource = Extract<DataSource, { kind: "csv" }>;

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
  const table = await readTable(source, { maximum, onNotice: rules.onNotice });
  const placeOf = (row: number) => `${path}:${table.lines[row]}`;
  const labels = labelsOf(table, source, rules);
  const size = imageSize(path, table.columns, shape);
  const values = asBytesIfExact(table);
  const description = {
    name: basename(path),
    classes: labels.classes,
    length: table.lines.length,
    pixels: values instanceof Uint8Array ? "bytes" : "floats",
    largestPixel: table.values.reduce((most, value) => Math.max(most, value), 0),
    labelAt: labels.labelAt,
    nameAt: placeOf,
    groupAt: groupIn(table),
  } as const;
  return datasetInMemory(description, (row) => {
    const planes = values.subarray(row * table.columns, (row + 1) * table.columns);
    const pixels = interleave(planes, size.channels);
    const image: Image = { ...size, pixels, maximum };
    return { image: convertChannels(image, shape.channels), ...labels.of(row) };
  });
}

/**
 * The rows, in memory, as images of 1x1 with a channel for each feature, or of one row for a
 * signal, whose channels come one after the other. Throws a DataError for rows of another number of
 * features.
 */
export async function openFeatures(
  source: CsvSource,
  size: InputShape,
  rules: LabelRules = {},
): Promise<Dataset> {
  const features = size.channels * size.height * size.width;
  const { path, maximum } = source;
  const { onNotice } = rules;
  const table = await readTable(source, { maximum: Infinity, noun: "feature", onNotice });
  const { lines, values, columns } = table;
  if (columns !== features) {
    throw new DataError(
      `${path} has ${columns} features a row and ` +
        `${source.numbers ? "what to predict" : "a label"}, ` +
        `but the network's input has ${features}`,
      declareAsMany(columns, size),
    );
  }
  const placeOf = (row: number) => `${path}:${lines[row]}`;
  const labels = labelsOf(table, source, rules);
  const description = {
    name: basename(path),
    classes: labels.classes,
    length: lines.length,
    pixels: "floats",
    labelAt: labels.labelAt,
    nameAt: placeOf,
    groupAt: groupIn(table),
  } as const;
  return datasetInMemory(description, (row) => {
    const planes = values.subarray(row * columns, (row + 1) * columns);
    const image: Image = { ...size, pixels: interleave(planes, size.channels), maximum };
    return { image, ...labels.of(row) };
  });
}

/** Of a signal, how long it is, where its channels divide the numbers of a row. */
function declareAsMany(columns: number, { channels, width }: InputShape): string {
  if (width === 1) return `declare as many: f32[N, ${columns}]`;
  return columns % channels === 0
    ? `declare as many: signal[N, ${channels}, ${columns / channels}]`
    : `the input has ${channels} channels of ${width} numbers, one channel after the other`;
}

async function readTable(
  { path, label, ignore, holdout, numbers }: CsvSource,
  options: Pick<CsvOptions, "maximum" | "noun" | "onNotice">,
): Promise<CsvTable> {
  const bytes = await readMaybeGzipped(path);
  const columns = { label, ignore, by: holdout?.by, isNumeric: numbers !== undefined };
  return parseCsvTable(bytes, { path, ...columns, ...options });
}

interface RowLabels {
  readonly classes: readonly string[];
  readonly labelAt?: Dataset["labelAt"];
  readonly of: (row: number) => Pick<Example, "label" | "numbers">;
}

/** Class numbers by the source's list of classes, where it has one; or numbers to predict. */
function labelsOf(
  { labels: texts, lines, targets }: CsvTable,
  { path, classes: listed, numbers: count }: CsvSource,
  rules: LabelRules,
): RowLabels {
  if (count !== undefined) {
    return { classes: [], of: (row) => ({ label: 0, numbers: targets[row]! }) };
  }
  const placeOf = (row: number) => `${path}:${lines[row]}`;
  const found = { name: path, texts, placeOf };
  const { classes, numbers } = listed
    ? numberListed(found, listed, rules)
    : numberLabels(found, rules);
  return {
    classes,
    labelAt: (row) => numbers[row]!,
    of: (row) => ({ label: numbers[row]! }),
  };
}

const groupIn = ({ groups }: CsvTable) => (groups ? (row: number) => groups[row]! : undefined);

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
function asBytesIfExact({ values }: CsvTable): Uint8Array | Float32Array {
  const exact = values.every((value) => value >= 0 && value <= 255 && Number.isInteger(value));
  return exact ? Uint8Array.from(values) : values;
}
