/**
 * A seeded fraction of a dataset that is kept apart for evaluation, where it has no splits of its
 * own.
 */
import type { Holdout } from "../../program/recipe.js";
import type { Dataset } from "./dataset.js";
import { DataError } from "./error.js";
import { prepareExample } from "./memory.js";
import { holdoutOrder } from "./random.js";

/** Which examples may be seen does not depend on a run's seed: those held out stay held out. */
const HOLDOUT_SEED = 0;

/** The examples of one side. Throws a DataError where there are none. */
export function withHoldout(dataset: Dataset, { share, takes }: Holdout): Dataset {
  const held = Math.round(dataset.length * share);
  const order = holdoutOrder(dataset.length, HOLDOUT_SEED);
  const chosen = takes === "holdout" ? order.slice(0, held).sort() : order.slice(held).sort();
  if (chosen.length === 0) {
    throw new DataError(
      `a holdout of ${share} leaves none of the ${dataset.length} examples of ${dataset.name} for this split`,
      "choose a share that leaves both splits at least one example, such as 0.2",
    );
  }
  return {
    ...dataset,
    labelAt: dataset.labelAt && ((index) => dataset.labelAt!(chosen[index]!)),
    length: chosen.length,
    get: (index) => dataset.get(chosen[index]!),
    prepare: (index, stage) => prepareExample(dataset, chosen[index]!, stage),
  };
}
