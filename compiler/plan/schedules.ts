import type { Target } from "../../program/program.js";
import {
  chooseSchedule,
  chooseSchedules,
  keyOf,
  type ContractionProblem,
  type PartialSums,
  type RangedSchedule,
  type TunedSchedules,
} from "../schedules/index.js";
import type { ContractionSchedule } from "../schedules/schedule.js";

/** The schedules of a program's contractions on an adapter, chosen once for equal problems. */
export class Schedules {
  private readonly known = new Map<string, readonly RangedSchedule[]>();

  constructor(
    private readonly target: Target,
    private readonly tuned: TunedSchedules | undefined,
  ) {}

  /** One for all batches. */
  one(problem: ContractionProblem, sums: PartialSums): ContractionSchedule {
    const { target, tuned } = this;
    const choose = () => [{ schedule: chooseSchedule(problem, target, { ...sums, tuned }) }];
    return this.once("one", problem, sums, choose)[0]!.schedule;
  }

  /** One for each range of batches. */
  ranges(problem: ContractionProblem, sums: PartialSums): readonly RangedSchedule[] {
    const { target, tuned } = this;
    const choose = () => chooseSchedules(problem, target, { ...sums, tuned });
    return this.once("ranges", problem, sums, choose);
  }

  private once(
    what: "one" | "ranges",
    problem: ContractionProblem,
    { partialBytes, bindable }: PartialSums,
    choose: () => readonly RangedSchedule[],
  ): readonly RangedSchedule[] {
    const key = `${what}: ${keyOf(problem)}, ${partialBytes} of ${bindable}`;
    const known = this.known.get(key) ?? choose();
    this.known.set(key, known);
    return known;
  }
}
