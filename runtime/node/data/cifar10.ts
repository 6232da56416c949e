/**
 * CIFAR-10's binary version: records of a label byte and 3x32x32 pixel bytes, channel after
 * channel.
 */
import { join } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { convertChannels, interleave } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { isDirectory, isFile, readMaybeGzipped, requireDirectory } from "./files.js";
import { numberLabels, type LabelRules } from "./labels.js";

const SIDE = 32;
const PIXELS = 3 * SIDE * SIDE;
const RECORD = 1 + PIXELS;
const CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** The name of the folder inside the archive as it is distributed. */
const ARCHIVE_FOLDER = "cifar-10-batches-bin";

const BATCHES = {
  train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}`),
  eval: ["test_batch"],
} as const;

/** Labels follow the rules. */
export interface Cifar10Options extends LabelRules {
  readonly split: "train" | "eval";
  readonly channels: 1 | 3;
}

/**
 * One split, its bytes in memory. Throws a DataError where a file is missing or not in the binary
 * format.
 */
export async function openCifar10(directory: string, options: Cifar10Options): Promise<Dataset> {
  await requireDirectory(directory);
  const parts: Buffer[] = [];
  for (const name of BATCHES[options.split]) {
    parts.push(await readBatch(await findBatch(directory, name)));
  }
  const records = Buffer.concat(parts);
  const length = records.length / RECORD;
  sayMissing(directory, length, options);
  const texts = Array.from({ length }, (_, index) => String(records[index * RECORD]));
  const placeOf = (index: number) => `${directory}: record ${index}`;
  const found = { name: directory, texts, placeOf, names: CLASSES };
  const { classes, numbers } = numberLabels(found, options);
  const labelAt = (index: number) => numbers[index]!;
  const description = { name: directory, classes, length, labelAt, nameAt: placeOf };
  return datasetInMemory(description, (index) => {
    const record = records.subarray(index * RECORD, (index + 1) * RECORD);
    const pixels = interleave(record.subarray(1), 3);
    const image = { width: SIDE, height: SIDE, channels: 3, pixels, maximum: 255 };
    return { image: convertChannels(image, options.channels), label: labelAt(index) };
  });
}

/** Each batch has these in CIFAR-10 as it is distributed; a part of it may be meant, or left. */
const RECORDS_IN_BATCH = 10_000;

function sayMissing(directory: string, length: number, { split, onNotice }: Cifar10Options): void {
  const expected = BATCHES[split].length * RECORDS_IN_BATCH;
  if (length === expected) return;
  onNotice?.(`${directory} holds ${length} images for ${split}, where CIFAR-10 has ${expected}`);
}

/** Whether a directory holds the binary batches. */
export async function holdsCifar10(directory: string): Promise<boolean> {
  const names = [...BATCHES.train, ...BATCHES.eval];
  const found = await Promise.all(names.map((name) => locateBatch(directory, name)));
  return found.some((path) => path !== undefined);
}

async function locateBatch(directory: string, name: string): Promise<string | undefined> {
  const inner = join(directory, ARCHIVE_FOLDER);
  const folder = (await isDirectory(inner)) ? inner : directory;
  for (const ending of [".bin", ".bin.gz", ""]) {
    const path = join(folder, name + ending);
    if (await isFile(path)) return path;
  }
  return undefined;
}

async function findBatch(directory: string, name: string): Promise<string> {
  const path = await locateBatch(directory, name);
  if (path !== undefined) return path;
  throw new DataError(
    `${directory} has no ${name}.bin`,
    "cifar10() reads the binary version of CIFAR-10: " +
      "data_batch_1.bin to data_batch_5.bin and test_batch.bin",
  );
}

async function readBatch(path: string): Promise<Buffer> {
  const bytes = await readMaybeGzipped(path);
  if (bytes.length === 0 || bytes.length % RECORD !== 0) {
    throw new DataError(
      `${path} is not a whole number of ${RECORD}-byte CIFAR-10 records: ` +
        `it has ${bytes.length} bytes`,
      "download the binary version again (the Python and Matlab versions have another format)",
    );
  }
  for (let offset = 0; offset < bytes.length; offset += RECORD) {
    if (bytes[offset]! >= CLASSES.length) {
      throw new DataError(
        `${path} is not CIFAR-10: ` +
          `record ${offset / RECORD} has the label ${bytes[offset]}, and labels are 0 to 9`,
      );
    }
  }
  return bytes;
}
