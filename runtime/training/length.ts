/** How many steps a run has. */
import type { TrainRecipe } from "../../program/recipe.js";
import { batchesOf, type Dataset } from "../data/dataset.js";
import { InputError } from "../errors.js";
import type { FitOptions } from "./options.js";
import type { RunLength } from "./schedule.js";
import { isDataset, type BatchSource } from "./source.js";

/**
 * Steps of the whole run and of an epoch, on this many examples; `steps` instead of the recipe's
 * epochs where they are given.
 */
export function runLength(
  examples: number,
  recipe: Pick<TrainRecipe, "batch" | "epochs" | "dropLast">,
  steps?: number,
): RunLength {
  return lengthOf(batchesOf(examples, recipe), recipe, steps);
}

/**
 * The same of a run over a dataset, or over batches that come ready made. Throws an InputError
 * where it is unknown.
 */
export function runLengthOver(
  source: Dataset | BatchSource,
  recipe: Pick<TrainRecipe, "batch" | "epochs" | "dropLast">,
  { steps, stepsPerEpoch = lengthOfArray(source) }: Pick<FitOptions, "steps" | "stepsPerEpoch">,
): RunLength {
  if (isDataset(source)) return runLength(source.length, recipe, steps);
  if (stepsPerEpoch !== undefined && Number.isSafeInteger(stepsPerEpoch) && stepsPerEpoch > 0) {
    return lengthOf(stepsPerEpoch, recipe, steps);
  }
  throw new InputError(
    "how many batches make an epoch cannot be seen from batches that come ready made: " +
      `say \`stepsPerEpoch\`, not ${stepsPerEpoch}`,
  );
}

/** Other iterables do not tell how many batches they have. */
const lengthOfArray = (source: Dataset | BatchSource): number | undefined =>
  Array.isArray(source) && source.length > 0 ? source.length : undefined;

function lengthOf(
  stepsPerEpoch: number,
  { epochs }: Pick<TrainRecipe, "epochs">,
  steps: number = epochs * stepsPerEpoch,
): RunLength {
  return { stepsPerEpoch, steps };
}
