import type { BatchRange } from "../../program/program.js";
import type { ContractionProblem, PartialSums } from "../schedules/index.js";

/** What a schedule was chosen for, so that another may be measured in its place. */
export interface ContractionChoice {
  readonly problem: ContractionProblem;
  readonly sums: PartialSums;
  /** The batches for which it was to be chosen; all if absent. */
  readonly batches?: BatchRange;
}
