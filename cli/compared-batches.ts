/** What a network predicts of a split, next to what the data say. */
import { imageOf } from "../program/tensors.js";
import type { Transform } from "../program/transforms.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { chooseStaging, loadBatches } from "../runtime/data/index.js";
import { DatasetView } from "../runtime/evaluation/dataset-view.js";
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
  const view = new DatasetView(dataset);
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
    const end = Math.min((position + 1) * batch, view.length);
    const examples = view.readable(position * batch, end);
    yield { count, examples, targets, outputs: await network.predict(images) };
  }
}
