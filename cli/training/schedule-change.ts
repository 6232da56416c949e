/** Whether a run of another length is another run from its beginning on. */
import type { TrainRecipe } from "../../program/recipe.js";
import { learningRateAt, phaseAt, type RunLength } from "../../runtime/training/schedule.js";

/**
 * Whether a step that all of the runs have differs between them, in its learning rate or in what is
 * trained.
 */
export function dependsOnLength(recipe: TrainRecipe, runs: readonly RunLength[]): boolean {
  const common = Math.min(...runs.map(({ steps }) => steps));
  const settings = (step: number) =>
    runs.map((run) => `${learningRateAt(recipe, step, run)} ${phaseAt(recipe, step, run)}`);
  for (let step = 0; step < common; step++) {
    if (new Set(settings(step)).size > 1) return true;
  }
  return false;
}
