import type { Target } from "../../program/program.js";
import type { ContractionSchedule } from "../kernels/schedule.js";
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
 * The schedule that was measured to be best, or else the one that should be. Winograd's way is taken only where it was measured: it
 * needs four times the memory of its activations, and rounds a little more.
 */
export function chooseSchedule(
  problem: ContractionProblem,
  target: Target,
  tuned: TunedSchedules = {},
): ContractionSchedule {
  const known = tuned[keyOf(problem)];
  if (known) return known;
  const cost = (schedule: ContractionSchedule) =>
    estimate(problem, schedule, target, NOMINAL_BATCH);
  return candidates(problem, target, NOMINAL_BATCH)
    .filter(({ algorithm }) => algorithm === undefined)
    .reduce((best, schedule) => (cost(schedule) < cost(best) ? schedule : best));
}

/** Whether a linear layer's input gradient has lanes for features rather than for images, of which there may be few. */
export const prefersTransposed = (target: Target): boolean => target === "gpu";

/** The form of a linear layer's update for a few images (kernels/rank-update.ts), where it pays. */
export const RANK_SCHEDULES: Readonly<Partial<Record<Target, ContractionSchedule>>> = {
  lanes8: { exchange: "broadcast", rowLanes: 8, loads: 1, columns: 8 },
  lanes4: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 8 },
};
