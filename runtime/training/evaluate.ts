/** Loss and metrics over a whole split. */
import type { Transform } from "../../program/recipe.js";
import type { Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { MetricsMean } from "./mean.js";
import type { Metrics, TrainableNetwork } from "./network.js";

export interface EvaluateOptions {
  readonly transforms?: readonly Transform[];
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of examples done. */
  readonly onProgress?: (examples: number) => void;
}

export interface Evaluation {
  /** Examples evaluated; those that could not be read are not among them. */
  readonly examples: number;
  /** `loss`, `top1`, ...: means over the examples. */
  readonly metrics: Metrics;
}

/** Evaluates every example of a dataset. Undefined where the signal stopped it. Throws a DataError where there are none. */
export async function evaluateDataset(
  network: Pick<TrainableNetwork, "batch" | "program" | "evaluate">,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation | undefined> {
  const mean = new MetricsMean();
  const transforms = options.transforms ?? [];
  const batches = loadBatches(dataset, {
    batch: network.batch,
    shape: network.program.input,
    transforms,
    staging: chooseStaging(network.program, "eval", { dataset, transforms }),
    seed: 0,
    epoch: 0,
    shuffle: false,
  });
  for await (const batch of batches) {
    if (options.signal?.aborted) return undefined;
    mean.add(await network.evaluate(batch.images, batch.labels), batch.count);
    options.onProgress?.(mean.examples);
  }
  if (mean.examples === 0) throw noExamplesError(dataset);
  return { examples: mean.examples, metrics: mean.values() };
}

export function noExamplesError({ name }: Dataset): DataError {
  return new DataError(`${name} holds no examples to evaluate`);
}
