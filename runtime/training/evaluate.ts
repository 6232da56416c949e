/** Loss and metrics over a whole split. */
import type { Transform } from "../../program/recipe.js";
import type { Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { assertKnown, type OptionNames } from "../options.js";
import {
  assertSource,
  isDataset,
  passOver,
  type BatchSource,
  type TrainingBatch,
} from "./source.js";
import { MetricsMean } from "./mean.js";
import type { Metrics } from "./network.js";
import type { Scores } from "../evaluation/probabilities.js";
import { untilAborted } from "./until-aborted.js";
import { overViews, type Evaluated } from "./views.js";

export interface EvaluateOptions {
  readonly transforms?: readonly Transform[];
  /** What the model's output holds, for averages over views of an image; logits unless told. */
  readonly scores?: Scores;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of examples done, and awaited. */
  readonly onProgress?: (examples: number) => unknown;
}

const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = {
  transforms: true,
  scores: true,
  signal: true,
  onProgress: true,
};

export interface Evaluation {
  /** Examples evaluated; those that could not be read are not among them. */
  readonly examples: number;
  /** `loss`, `top1`, ...: means over the examples. */
  readonly metrics: Metrics;
}

/** Evaluates every example of a dataset, or a pass over batches that come ready made. Undefined where the signal stopped it. Throws a DataError where there are none. */
export async function evaluateDataset(
  network: Evaluated,
  dataset: Dataset | BatchSource,
  options: EvaluateOptions = {},
): Promise<Evaluation | undefined> {
  assertSource(dataset, "what is evaluated");
  assertKnown(options, EVALUATE_OPTIONS, "evaluateDataset");
  const mean = new MetricsMean();
  // Batches that come ready made have been through theirs.
  const transforms = isDataset(dataset) ? (options.transforms ?? []) : [];
  const evaluated = overViews(network, transforms, options.scores);
  const batches: AsyncGenerator<TrainingBatch, void, void> = isDataset(dataset)
    ? loadBatches(dataset, {
        batch: evaluated.batch,
        shape: network.program.input,
        transforms,
        staging: chooseStaging(network.program, "eval", { dataset, transforms }),
        seed: 0,
        epoch: 0,
        shuffle: false,
      })
    : passOver(dataset, { epoch: 0, start: 0, most: Infinity, shape: network.program.input });
  for await (const batch of untilAborted(batches, options.signal)) {
    mean.add(await evaluated.evaluate(batch.images, batch.targets), batch.count);
    await options.onProgress?.(mean.examples);
  }
  if (options.signal?.aborted) return undefined;
  if (mean.examples === 0)
    throw noExamplesError(isDataset(dataset) ? dataset : { name: "the dataset" });
  return { examples: mean.examples, metrics: mean.values() };
}

export function noExamplesError({ name }: Pick<Dataset, "name">): DataError {
  return new DataError(`${name} holds no examples to evaluate`);
}
