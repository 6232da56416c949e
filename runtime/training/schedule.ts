/**
 * The learning rate over a run, with the values of PyTorch's schedulers. A warmup is followed by
 * its schedule as in SequentialLR: the schedule starts to count when the warmup ends, and what
 * spans the run spans the rest of it.
 */
import type {
  Duration,
  Schedule,
  ScheduleSequence,
  TimedSchedule,
  TrainRecipe,
  Warmup,
} from "../../program/recipe.js";

export interface RunLength {
  readonly stepsPerEpoch: number;
  /** Steps in the whole run. */
  readonly steps: number;
}

export interface LearningRateRecipe {
  readonly schedule: Schedule;
  readonly warmup?: Warmup;
}

/**
 * The factor of the optimizer's learning rate at a step, counted from 0. `plateau` is what
 * `reduce_on_plateau` has come to, which depends on how the run went.
 */
export function learningRateFactor(
  { schedule, warmup }: LearningRateRecipe,
  step: number,
  run: RunLength,
  plateau = 1,
): number {
  const warm = warmup === undefined ? 0 : Math.round(inSteps(warmup.duration, run));
  if (warmup !== undefined && step < warm) return warmup.from + (1 - warmup.from) * (step / warm);
  if (schedule.kind === "reduce_on_plateau") return plateau;
  const part = schedule.kind === "sequence" ? partAt(schedule, step, run) : undefined;
  const from = Math.max(warm, part?.from ?? 0);
  const steps = Math.max(1, (part?.until ?? run.steps) - from);
  return scheduleFactor(part?.schedule ?? (schedule as TimedSchedule), step - from, {
    ...run,
    steps,
  });
}

/**
 * The learning rate at a step, counted from 0: the optimizer's times the schedule's factor, and
 * from the start of stochastic weight averaging on what its SWALR makes of that.
 */
export function learningRateAt(
  recipe: LearningRateRecipe & Pick<TrainRecipe, "optimizer" | "average">,
  step: number,
  run: RunLength,
  plateau?: number,
): number {
  const { average, optimizer } = recipe;
  const scheduled = (at: number) =>
    optimizer.learningRate * learningRateFactor(recipe, at, run, plateau);
  if (average?.kind !== "swa" || average.learningRate === undefined || step < average.start)
    return scheduled(step);
  const share = average.anneal > 0 ? Math.min(1, (step - average.start) / average.anneal) : 1;
  return alongCosine(scheduled(average.start), average.learningRate, share);
}

/** The schedule at a step, and its first step and the one after its last. */
function partAt({ parts, last }: ScheduleSequence, step: number, run: RunLength) {
  let from = 0;
  for (const { schedule, until: end } of parts) {
    const until = Math.round(inSteps(end, run));
    if (step < until) return { schedule, from, until };
    from = until;
  }
  return { schedule: last, from, until: run.steps };
}

/** How many stages of `unfreeze` have begun before a step, counted from 0. */
export function phaseAt(
  { unfreeze = [] }: Pick<TrainRecipe, "unfreeze">,
  step: number,
  run: RunLength,
): number {
  return unfreeze.filter(({ after }) => step >= Math.round(inSteps(after, run))).length;
}

function scheduleFactor(schedule: TimedSchedule, step: number, run: RunLength): number {
  // A run may continue beyond its planned length: the last value holds.
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
    case "inverse":
      return (1 + (schedule.gamma * step) / inSteps(schedule.every, run)) ** -schedule.power;
    case "polynomial":
      return schedule.to + (1 - schedule.to) * remaining ** schedule.power;
    case "cosine":
      return alongCosine(schedule.to, 1, remaining);
    case "onecycle":
      return oneCycle(schedule, step, run);
    case "cosine_restarts":
      return restarted(schedule, step, run);
  }
}

function restarted(
  { first, growth, to }: Extract<Schedule, { readonly kind: "cosine_restarts" }>,
  step: number,
  run: RunLength,
): number {
  let length = Math.max(1, inSteps(first, run));
  let rest = step;
  if (growth === 1) rest %= length;
  else for (; rest >= length; length *= growth) rest -= length;
  return alongCosine(1, to, rest / length);
}

/** As in PyTorch, the rise ends at step peak * steps - 1, and the fall at the last step. */
function oneCycle(
  { peak, from, to }: Extract<Schedule, { readonly kind: "onecycle" }>,
  step: number,
  { steps }: RunLength,
): number {
  const top = Math.max(0, peak * steps - 1);
  if (step < top) return alongCosine(from, 1, step / top);
  const fall = Math.max(1, steps - 1 - top);
  return alongCosine(1, to, Math.min(1, (step - top) / fall));
}

/** From one value to another along half a cosine; `share` of the way, 0 to 1. */
function alongCosine(from: number, to: number, share: number): number {
  return from + ((to - from) * (1 - Math.cos(Math.PI * share))) / 2;
}

function inSteps({ count, unit }: Duration, { stepsPerEpoch }: RunLength): number {
  return unit === "epochs" ? count * stepsPerEpoch : count;
}
