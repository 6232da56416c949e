/** Where a run's batches come from: a dataset, which is shuffled and prepared here, or batches that somebody else makes. */
import type { Batch, Dataset, Images, InputShape } from "../data/dataset.js";
import { InputError } from "../errors.js";
import type { Targets } from "../examples.js";

/** Examples as `network.step` takes them, as many as the network's batch at most. */
export interface GivenBatch {
  /** NCHW, preprocessed; or what `loadBatches` makes. */
  readonly images: Images;
  /** Labels, or numbers in the order of the model's target; nothing where the loss is of the images themselves. */
  readonly targets?: Targets;
  /** Images in the batch; needed only where they come as bytes. */
  readonly count?: number;
}

/**
 * Batches that are ready, an epoch a pass: something that can be gone over again and again (an object whose `[Symbol.asyncIterator]`
 * begins anew), or a function that makes the batches of an epoch, counted from 0. What is shuffled or random in it should follow from
 * the epoch alone, so that a resumed run meets the same batches.
 */
export type BatchSource =
  AsyncIterable<GivenBatch> | ((epoch: number) => AsyncIterable<GivenBatch>);

/** A batch on its way to the network. */
export type TrainingBatch = Pick<Batch, "position" | "count" | "images"> & {
  readonly targets: Targets;
};

export function isDataset(source: Dataset | BatchSource): source is Dataset {
  return "get" in source;
}

export interface Pass {
  readonly epoch: number;
  /** Batches to leave out: those before were done already. */
  readonly start: number;
  /** Batches after which the epoch ends, although there may be more. */
  readonly most: number;
  readonly shape: InputShape;
}

/** The batches of an epoch. Throws an InputError where there are none, as in a generator's second pass. */
export async function* passOver(
  source: BatchSource,
  { epoch, start, most, shape }: Pass,
): AsyncGenerator<TrainingBatch, void, void> {
  if (start >= most) return;
  const batches = typeof source === "function" ? source(epoch) : source;
  let position = 0;
  for await (const batch of batches) {
    if (position >= start) yield numbered(batch, position, shape);
    if (++position >= most) return;
  }
  if (position === 0) throw exhausted(epoch);
}

function numbered({ images, targets, count }: GivenBatch, position: number, shape: InputShape) {
  return { position, count: count ?? countImages(images, shape), images, targets };
}

function countImages(images: Images, { channels, height, width }: InputShape): number {
  if (images instanceof Float32Array) return images.length / (channels * height * width);
  throw new InputError("a batch of bytes and draws must say how many images it has: `count`");
}

function exhausted(epoch: number): InputError {
  return new InputError(
    `epoch ${epoch + 1} has no batches: each epoch is a pass over the dataset, and a generator can be passed over once. Give \`fit\` an ` +
      "object whose [Symbol.asyncIterator] begins anew, or a function of the epoch: (epoch) => batches(epoch)",
  );
}
