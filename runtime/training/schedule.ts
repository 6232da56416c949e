/**
 * The learning rate over a run, with the values of PyTorch's schedulers. A warmup is followed by its schedule as in
 * SequentialLR: the schedule starts to count when the warmup ends, and what spans the run spans the rest of it.
 */
import type { Duration, Schedule, Warmup } from "../../program/recipe.js";

export interface RunLength {
  readonly stepsPerEpoch: number;
  /** Steps in the whole run. */
  readonly steps: number;
}

export interface LearningRateRecipe {
  readonly schedule: Schedule;
  readonly warmup?: Warmup;
}

/** The factor of the optimizer's learning rate at a step, counted from 0. */
export function learningRateFactor(
  { schedule, warmup }: LearningRateRecipe,
  step: number,
  run: RunLength,
): number {
  const warm = warmup === undefined ? 0 : Math.round(inSteps(warmup.duration, run));
  if (warmup !== undefined && step < warm) return warmup.from + (1 - warmup.from) * (step / warm);
  return scheduleFactor(schedule, step - warm, { ...run, steps: Math.max(1, run.steps - warm) });
}

function scheduleFactor(schedule: Schedule, step: number, run: RunLength): number {
  // A run may go on beyond the length it was planned for: the last value holds.
  const remaining = Math.max(0, 1 - step / run.steps);
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "step":
      return schedule.gamma ** Math.floor(step / inSteps(schedule.every, run));
    case "multistep":
      return schedule.gamma ** schedule.at.filter((when) => step >= inSteps(when, run)).length;
    case "exponential":
      return schedule.gamma ** (step / inSteps(schedule.every, run));
    case "polynomial":
      return schedule.to + (1 - schedule.to) * remaining ** schedule.power;
    case "cosine":
      return schedule.to + ((1 - schedule.to) * (1 - Math.cos(Math.PI * remaining))) / 2;
  }
}

function inSteps({ count, unit }: Duration, { stepsPerEpoch }: RunLength): number {
  return unit === "epochs" ? count * stepsPerEpoch : count;
}
