/** Images as rows of a CSV file, gzipped or not: pixels in the order channels, rows, columns, and a label. */
import { basename } from "node:path";
import type { CsvSplit, DataSource } from "../../../program/recipe.js";
import type { Dataset, Image, InputShape } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { convertChannels, interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { holdoutOrder } from "../../data/random.js";
import { parseCsvTable } from "./csv-table.js";
import type { CsvTable } from "./csv-table.js";
import { readMaybeGzipped } from "./files.js";

type CsvSource = Extract<DataSource, { kind: "csv" }>;

/** The rows of a split, in memory. `shape` tells how pixels are arranged where their number leaves a choice. */
export async function openCsv(
  source: CsvSource,
  shape: InputShape & { readonly channels: 1 | 3 },
): Promise<Dataset> {
  const { path, label, split } = source;
  const bytes = await readMaybeGzipped(path);
  const table = parseCsvTable(bytes, { path, label, maximum: split.maximum });
  const { classes, labelOf } = numberLabels(table.labels);
  const size = imageSize(path, table.columns, shape);
  const rows = rowsOfSplit(table.labels.length, split);
  if (rows.length === 0) {
    throw new DataError(
      `a holdout of ${split.holdout} leaves none of the ${table.labels.length} rows of ${path} for this split`,
    );
  }
  const values = asBytesIfExact(table);
  const description = {
    ...{ name: basename(path), classes, length: rows.length },
    pixels: values instanceof Uint8Array ? "bytes" : "floats",
  } as const;
  return datasetInMemory(description, (index) => {
    const row = rows[index]!;
    const planes = values.subarray(row * table.columns, (row + 1) * table.columns);
    const pixels = interleave(planes, size.channels);
    const image: Image = { ...size, pixels, maximum: split.maximum };
    return { image: convertChannels(image, shape.channels), label: labelOf(table.labels[row]!) };
  });
}

/** Whole numbers are labels as they stand; other labels are names, numbered in sorted order. */
function numberLabels(labels: readonly string[]) {
  const distinct = [...new Set(labels)].sort();
  if (!distinct.every((label) => /^\d{1,6}$/.test(label))) {
    const numbers = new Map(distinct.map((name, index) => [name, index]));
    return { classes: distinct, labelOf: (label: string) => numbers.get(label)! };
  }
  const highest = distinct.reduce((most, label) => Math.max(most, Number(label)), 0);
  return {
    classes: Array.from({ length: highest + 1 }, (_, label) => String(label)),
    labelOf: Number,
  };
}

/** The network's size where the pixels agree with it, otherwise a square of grey or RGB. */
function imageSize(path: string, pixels: number, shape: InputShape): InputShape {
  if (pixels === shape.channels * shape.height * shape.width) return shape;
  for (const channels of [1, 3]) {
    const side = Math.sqrt(pixels / channels);
    if (Number.isInteger(side)) return { channels, height: side, width: side };
  }
  const { channels, height, width } = shape;
  throw new DataError(
    `${path} has ${pixels} pixels a row, which is neither the network's input (${channels}x${height}x${width} = ${channels * height * width}) nor a square of grey or RGB`,
  );
}

/** Which rows may be seen does not depend on a run's seed: held-out rows stay held out. */
const HOLDOUT_SEED = 0;

function rowsOfSplit(length: number, split: CsvSplit): Uint32Array {
  const held = Math.round(length * split.holdout);
  const order = holdoutOrder(length, HOLDOUT_SEED);
  return split.takes === "holdout" ? order.slice(0, held).sort() : order.slice(held).sort();
}

/** A quarter of the memory for the usual case of whole numbers up to 255. */
function asBytesIfExact({ values }: CsvTable): Uint8Array | Float32Array {
  const exact = values.every((value) => value <= 255 && Number.isInteger(value));
  return exact ? Uint8Array.from(values) : values;
}
