import type { BatchRange } from "../../program/program.js";
import type { AnyNode } from "../ir/graph.js";
import { accumulatedRows, isSplit, type ContractionSchedule } from "../schedules/schedule.js";
import { isOverPixels } from "./pixels.js";
import type { Plan, PlanSettings } from "./plan.js";

/** Who makes the parts of a reduction, for a range of batches. */
export interface RangedParts {
  /** All batches if absent. */
  readonly batches?: BatchRange;
  /** Values of a channel in each part that is left; the reduction makes its own if absent. */
  readonly values?: number;
}

/**
 * What a node leaves for the reduction that its fusion names, by range of batches; nothing without
 * one. A contraction leaves parts unless its schedule splits K or goes Winograd's way: then another
 * kernel than the contraction's makes the result.
 */
export function rangedParts(
  plan: Plan,
  { layouts }: PlanSettings,
  node: AnyNode,
): readonly RangedParts[] {
  if (!node.fusion?.leaves) return [{}];
  // Elsewhere a lane makes a line of pixels.
  if (!isOverPixels(node)) return [{ values: layouts.get(node.outputs[0]!.id)!.width }];
  return plan.pixels(node).schedules.map(({ schedule, batches }) => ({
    ...(batches && { batches }),
    ...(finishesResult(schedule) && { values: accumulatedRows(schedule) }),
  }));
}

const finishesResult = (schedule: ContractionSchedule): boolean =>
  !isSplit(schedule) && schedule.algorithm !== "winograd";
