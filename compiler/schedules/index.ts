import type { BatchRange, Target } from "../../program/program.js";
import { isSplit, type ContractionSchedule } from "./schedule.js";
import { candidates } from "./candidates.js";
import { estimate } from "./cost.js";
import { keyOf, type ContractionProblem } from "./problem.js";

export { candidates } from "./candidates.js";
export { estimate } from "./cost.js";
export { keyOf, type ContractionProblem } from "./problem.js";

/** Choices that were measured, by the problem's key. */
export type TunedSchedules = Readonly<Record<string, ContractionSchedule>>;

/** A program serves every batch: schedules are chosen for one between prediction and training. */
export const NOMINAL_BATCH = 8;

/**
 * From this batch on, convolutions have rows enough to keep an adapter busy without splitting K.
 */
export const LARGE_BATCH = 32;

/** What splitting K must gain at a large batch to be worth the memory of its partial sums. */
const WORTH_SPLITTING = 1.25;

/** What is left where K is split. */
export interface PartialSums {
  /** Bytes that each part leaves: in all, or an image where that grows with the batch. */
  readonly partialBytes: number;
  /** The most bytes of a storage binding. */
  readonly bindable: number;
}

/** Whether the sums of all parts can be bound, of an image at least. */
export const bindsPartialSums = (
  { splits = 1 }: ContractionSchedule,
  { partialBytes, bindable }: PartialSums,
): boolean => splits === 1 || splits * partialBytes <= bindable;

export interface ScheduleOptions extends PartialSums {
  readonly tuned?: TunedSchedules | undefined;
}

/**
 * The schedule that was measured to be best, or else the one that should be. Winograd's way is
 * taken only where it was measured: it needs four times the memory of its activations, and rounds a
 * little more.
 */
export function chooseSchedule(
  problem: ContractionProblem,
  target: Target,
  { tuned = {}, ...sums }: ScheduleOptions,
): ContractionSchedule {
  const fits = (schedule: ContractionSchedule) => bindsPartialSums(schedule, sums);
  const measured = tuned[keyOf(problem)];
  return measured && fits(measured) ? measured : cheapest(problem, target, NOMINAL_BATCH, fits)!;
}

/** A schedule with the batches for which it is meant. */
export interface RangedSchedule {
  readonly schedule: ContractionSchedule;
  readonly batches?: BatchRange;
}

/**
 * The same, where partial sums grow with the batch. Where a large batch does without them at little
 * cost, it has a separate schedule that does, so that the memory of the largest step is not spent
 * on them.
 */
export function chooseSchedules(
  problem: ContractionProblem,
  target: Target,
  options: ScheduleOptions,
): readonly RangedSchedule[] {
  const { tuned = {}, bindable, partialBytes } = options;
  const schedule = chooseSchedule(problem, target, options);
  const { splits = 1 } = schedule;
  if (splits === 1 || tuned[keyOf(problem)] === schedule) return [{ schedule }];
  const whole = cheapest(problem, target, LARGE_BATCH, (each) => !isSplit(each))!;
  const split = cheapest(problem, target, LARGE_BATCH, isSplit);
  const cost = (each: ContractionSchedule) => estimate(problem, each, target, LARGE_BATCH);
  if (split && cost(whole) > WORTH_SPLITTING * cost(split)) return [{ schedule }];
  // Partial sums must be bound whole.
  if (partialBytes * splits * LARGE_BATCH > bindable) return [{ schedule: whole }];
  return [
    { schedule, batches: { atMost: LARGE_BATCH - 1 } },
    { schedule: whole, batches: { atLeast: LARGE_BATCH } },
  ];
}

/**
 * Of the sums over the window those that `suits`, or all: the one that should be fastest at a
 * batch.
 */
function cheapest(
  problem: ContractionProblem,
  target: Target,
  batch: number,
  suits: (schedule: ContractionSchedule) => boolean = () => true,
): ContractionSchedule | undefined {
  const fitting = candidates(problem, target, batch).filter(
    (schedule) => schedule.algorithm === undefined && suits(schedule),
  );
  const costs = fitting.map((schedule) => estimate(problem, schedule, target, batch));
  return fitting[costs.indexOf(Math.min(...costs))];
}

/**
 * Whether a linear layer's input gradient has lanes for features rather than for images, of which
 * there may be few.
 */
export const prefersTransposed = (target: Target): boolean => target === "gpu";

/**
 * The most images for which that form of a linear layer's update pays: their output gradients stay
 * in registers.
 */
export const RANK_IMAGES = 8;

/** The form of a linear layer's update for a few images (kernels/rank-update.ts), where it pays. */
export const RANK_SCHEDULES: Readonly<Partial<Record<Target, ContractionSchedule>>> = {
  lanes8: { exchange: "broadcast", rowLanes: 8, loads: 1, columns: 8 },
  lanes4: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 8 },
};

/** Lanes that load tokens of an attention for each other, where loads are what costs most. */
export const ATTENTION_SUBGROUPS: Readonly<Partial<Record<Target, 4 | 8>>> = {
  lanes8: 8,
  lanes4: 4,
};
