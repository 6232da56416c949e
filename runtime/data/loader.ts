/** From a dataset to batches: order, transforms, and the next batches prepared while the GPU works. */
import type { Transform } from "../../program/recipe.js";
import { countBatches } from "./dataset.js";
import type { Batch, Dataset, Image, InputShape } from "./dataset.js";
import { DataError } from "./error.js";
import { writePlanes } from "./image.js";
import { shuffledOrder } from "./random.js";
import { applyTransforms } from "./transforms.js";

export interface LoaderOptions {
  /** Images in a batch; the last batch of a pass holds what is left. */
  readonly batch: number;
  /** What every image must measure after the transforms. */
  readonly shape: InputShape;
  readonly transforms: readonly Transform[];
  readonly seed: number;
  /** Keys the shuffle and the random transforms. */
  readonly epoch: number;
  readonly shuffle: boolean;
  /** Position of the first batch, to go on within an epoch. */
  readonly start?: number;
  /** Batches kept ready ahead of the consumer, 2 unless told. */
  readonly ahead?: number;
}

/**
 * One pass over `dataset` in batches. A batch is a function of the options and its position alone, so that a pass that
 * starts at a later position yields exactly the batches that a whole pass yields from there. A batch without a
 * single readable example is left out. Throws a DataError where images do not fit the network.
 */
export async function* loadBatches(
  dataset: Dataset,
  options: LoaderOptions,
): AsyncGenerator<Batch, void, void> {
  const order = visitingOrder(dataset.length, options);
  const batches = countBatches(dataset.length, options.batch);
  const ahead = options.ahead ?? 2;
  const queue: Promise<Batch>[] = [];
  let next = options.start ?? 0;
  const fill = () => {
    while (next < batches && queue.length <= ahead) {
      const prepared = prepareBatch(dataset, order, next++, options);
      // Whoever stops early never looks at the batches ahead: their errors are not unhandled, only unread.
      prepared.catch(() => {});
      queue.push(prepared);
    }
  };
  for (fill(); queue.length > 0; fill()) {
    const batch = await queue.shift()!;
    if (batch.count > 0) yield batch;
  }
}

function visitingOrder(length: number, options: LoaderOptions): Uint32Array {
  if (options.shuffle) return shuffledOrder(length, options);
  return Uint32Array.from({ length }, (_, index) => index);
}

async function prepareBatch(
  dataset: Dataset,
  order: Uint32Array,
  position: number,
  options: LoaderOptions,
): Promise<Batch> {
  const { shape, batch } = options;
  const indices = order.subarray(position * batch, (position + 1) * batch);
  const size = shape.channels * shape.height * shape.width;
  const images = new Float32Array(indices.length * size);
  // Each example goes to its slot as soon as it is decoded, so that few decoded images are in memory at once.
  const labels = await Promise.all(
    [...indices].map((index, slot) =>
      prepareExample(dataset, index, options, images.subarray(slot * size, (slot + 1) * size)),
    ),
  );
  return { position, ...dropMissing(images, labels, size) };
}

/** Writes the example's pixels to `target` and returns its label; undefined where it cannot be decoded. */
async function prepareExample(
  dataset: Dataset,
  index: number,
  options: LoaderOptions,
  target: Float32Array,
): Promise<number | undefined> {
  const example = await dataset.get(index);
  if (example === undefined) return undefined;
  const key = { seed: options.seed, epoch: options.epoch, example: index };
  const image = applyTransforms(example.image, options.transforms, key);
  checkSize(dataset, image, options.shape);
  writePlanes(image, target, 0);
  return example.label;
}

/** Closes the gaps that unreadable examples left. */
function dropMissing(
  images: Float32Array,
  labels: readonly (number | undefined)[],
  size: number,
): Omit<Batch, "position"> {
  const kept: number[] = [];
  labels.forEach((label, slot) => {
    if (label === undefined) return;
    if (kept.length < slot) {
      images.copyWithin(kept.length * size, slot * size, (slot + 1) * size);
    }
    kept.push(label);
  });
  const count = kept.length;
  return { count, images: images.subarray(0, count * size), labels: Uint32Array.from(kept) };
}

function checkSize(dataset: Dataset, image: Image, shape: InputShape): void {
  const { channels, height, width } = shape;
  if (image.channels !== channels) {
    throw new DataError(
      `${dataset.name} gives images of ${image.channels} channels, but the network's input has ${channels}`,
    );
  }
  if (image.height === height && image.width === width) return;
  throw new DataError(
    `${dataset.name} gives images of ${image.width}x${image.height} pixels (width x height) after its transforms, but the network's input is ${width}x${height}`,
    sizeHint(image, shape),
  );
}

/** Which transforms bring such an image to the network's size. */
function sizeHint(image: Image, { height, width }: InputShape): string {
  if (height !== width) return `prepare images of ${width}x${height} beforehand`;
  const square = image.width === image.height;
  const transforms = square ? `resize(${width})` : `resize(${width}) -> center_crop(${width})`;
  return `add \`${transforms}\` to the split's transforms`;
}
