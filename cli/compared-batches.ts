/** What a network predicts of a split, next to what the data say. */
import { imageOf } from "../program/tensors.js";
import type { Transform } from "../program/transforms.js";
import type { Dataset, Example } from "../runtime/data/dataset.js";
import { chooseStaging, loadBatches } from "../runtime/data/index.js";
import { prepareExample } from "../runtime/data/memory.js";
import type { Network } from "../runtime/network.js";

export interface ComparedBatch {
  /** Examples in the batch. */
  readonly count: number;
  /** Their places in the dataset. */
  readonly examples: readonly number[];
  /** Row by row; of several by name. */
  readonly outputs: unknown;
  readonly targets: unknown;
}

export interface Comparing {
  readonly network: Pick<Network, "batch" | "predict" | "program">;
  readonly dataset: Dataset;
  readonly transforms: readonly Transform[];
}

/** One pass over the examples, in their order. */
export async function* comparedBatches({
  network,
  dataset,
  transforms,
}: Comparing): AsyncGenerator<ComparedBatch, void, void> {
  const { view, readable } = noting(dataset);
  const { batch } = network;
  for await (const { images, targets, count, position } of loadBatches(view, {
    batch,
    shape: imageOf(network.program),
    transforms,
    staging: chooseStaging(network.program, "eval", { dataset: view, transforms }),
    seed: 0,
    epoch: 0,
    shuffle: false,
  })) {
    const end = Math.min((position + 1) * batch, dataset.length);
    const examples = readable(position * batch, end);
    yield { count, examples, targets, outputs: await network.predict(images) };
  }
}

/** The same examples, and which of those from `start` to before `end` could be read. */
function noting(dataset: Dataset) {
  const { name, classes, length, pixels, parts } = dataset;
  const missing = new Set<number>();
  const note = async (index: number, wanted: Promise<Example | undefined>) => {
    const example = await wanted;
    if (example === undefined) missing.add(index);
    return example;
  };
  const view: Dataset = {
    name,
    classes,
    length,
    pixels,
    parts,
    get: (index) => note(index, dataset.get(index)),
    prepare: (index, stage) => note(index, prepareExample(dataset, index, stage)),
  };
  const readable = (start: number, end: number): readonly number[] =>
    Array.from({ length: end - start }, (_, offset) => start + offset).filter(
      (index) => !missing.has(index),
    );
  return { view, readable };
}

/** Of several by name, or the one. */
export const numbersOf = (values: unknown, name: string): Float32Array =>
  values instanceof Float32Array
    ? values
    : (values as Readonly<Record<string, Float32Array>>)[name]!;
