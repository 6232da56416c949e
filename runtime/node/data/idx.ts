/**
 * MNIST's IDX files: a header of big-endian sizes, then bytes. http://yann.lecun.com/exdb/mnist/
 * gives the format.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { convertChannels } from "../../data/image.js";
import { datasetInMemory } from "../../data/memory.js";
import { readMaybeGzipped, requireDirectory } from "./files.js";
import { numberLabels, type LabelRules } from "./labels.js";

const PREFIX = { train: "train", eval: "t10k" } as const;

/** Labels follow the rules. */
export interface IdxOptions extends LabelRules {
  readonly split: "train" | "eval";
  readonly channels: 1 | 3;
}

interface IdxFile {
  readonly path: string;
  readonly sizes: readonly number[];
  readonly values: Buffer;
}

/** One split, its bytes in memory. */
export async function openIdx(directory: string, options: IdxOptions): Promise<Dataset> {
  await requireDirectory(directory);
  const prefix = PREFIX[options.split];
  const images = await readIdx(await findIdx(directory, `${prefix}-images`), 3);
  const labels = await readIdx(await findIdx(directory, `${prefix}-labels`), 1);
  const [length, height, width] = images.sizes as [number, number, number];
  if (length !== labels.sizes[0]) {
    throw new DataError(
      `${images.path} has ${length} images, but ${labels.path} has ${labels.sizes[0]} labels`,
    );
  }
  const texts = Array.from(labels.values, String);
  const placeOf = (index: number) => `${labels.path}: label ${index}`;
  const { classes, numbers } = numberLabels({ name: directory, texts, placeOf }, options);
  const size = height * width;
  const labelAt = (index: number) => numbers[index]!;
  const nameAt = (index: number) => `${images.path}: image ${index}`;
  return datasetInMemory({ name: directory, classes, length, labelAt, nameAt }, (index) => {
    const pixels = images.values.subarray(index * size, (index + 1) * size);
    const image = { width, height, channels: 1, pixels, maximum: 255 };
    return { image: convertChannels(image, options.channels), label: labelAt(index) };
  });
}

/** Whether a directory holds MNIST's files. */
export async function holdsIdx(directory: string): Promise<boolean> {
  const names = await readdir(directory);
  return names.some((name) => /^(train|t10k)-images[-.]idx3/.test(name));
}

async function findIdx(directory: string, start: string): Promise<string> {
  const names = await readdir(directory);
  const pattern = new RegExp(`^${start}[-.]idx[13]-ubyte(\\.gz)?$`);
  const name = names.sort().find((candidate) => pattern.test(candidate));
  if (name !== undefined) return join(directory, name);
  const dimensions = start.endsWith("images") ? 3 : 1;
  throw new DataError(
    `${directory} has no ${start}-idx${dimensions}-ubyte, gzipped or not`,
    "idx() reads MNIST's four files: train-images, train-labels, t10k-images and t10k-labels",
  );
}

const UNSIGNED_BYTES = 8;

async function readIdx(path: string, dimensions: number): Promise<IdxFile> {
  const bytes = await readMaybeGzipped(path);
  const header = 4 + 4 * dimensions;
  const expected = (UNSIGNED_BYTES << 8) | dimensions;
  if (bytes.length < header || bytes.readUInt32BE(0) !== expected) {
    throw new DataError(
      `${path} is not an IDX file of bytes in ${dimensions} ` +
        `dimension${dimensions > 1 ? "s" : ""}: it does not start with the number ${expected}`,
      "download it again",
    );
  }
  const sizes = Array.from({ length: dimensions }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const total = sizes.reduce((product, size) => product * size, 1);
  if (total === 0 || bytes.length !== header + total) {
    throw new DataError(
      `${path} declares ${sizes.join("x")} bytes after its header, ` +
        `but has ${bytes.length - header}`,
      "download it again",
    );
  }
  return { path, sizes, values: bytes.subarray(header) };
}
