/** What a recipe counts in epochs, in a run whose length `--steps` says. */
import type { Duration, Schedule, TrainRecipe } from "../../program/recipe.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { runLength } from "../../runtime/training/index.js";
import { warn } from "../terminal.js";

/**
 * How many steps an epoch has is known only with the data, so the compiler cannot say it (NET3012).
 */
export function warnOfLateParts(
  recipe: TrainRecipe,
  { length: examples }: Pick<Dataset, "length">,
  steps: number | undefined,
): void {
  if (steps === undefined) return;
  const { stepsPerEpoch } = runLength(examples, recipe, steps);
  for (const [name, { count, unit }] of plannedParts(recipe)) {
    const begins = Math.round(count * stepsPerEpoch);
    if (unit !== "epochs" || begins < steps) continue;
    warn(
      `NET3012: \`${name}\` acts after ${count} epochs, which are ${begins} steps here, ` +
        `but \`--steps\` ends the run after ${steps}`,
    );
  }
}

type PlannedPart = readonly [name: string, when: Duration];

/** Parts of a recipe with the time at which they begin or end. */
function plannedParts({ warmup, schedule, unfreeze = [] }: TrainRecipe): readonly PlannedPart[] {
  return [
    ...(warmup ? [["warmup", warmup.duration] as const] : []),
    ...scheduledParts(schedule),
    ...unfreeze.map(({ after }) => ["after", after] as const),
  ];
}

function scheduledParts(schedule: Schedule): readonly PlannedPart[] {
  switch (schedule.kind) {
    case "step":
      return [["step", schedule.every]];
    case "multistep":
      return schedule.at.map((when) => ["multistep", when]);
    case "cosine_restarts":
      return [["cosine_restarts", schedule.first]];
    case "sequence":
      return schedule.parts.map(({ until }) => ["until", until]);
    default:
      return [];
  }
}
