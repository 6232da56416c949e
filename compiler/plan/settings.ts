import { bindableBytes, type DeviceLimits } from "../../program/limits.js";
import type { Target } from "../../program/program.js";
import type { Graph, Value } from "../ir/graph.js";
import type { Uses } from "../ir/uses.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { Layouts } from "../layout/choose-layouts.js";
import type { HalfValues } from "../layout/halves.js";
import type { StoredParameter } from "../layout/parameters.js";
import type { PartialSums, TunedSchedules } from "../schedules/index.js";

/** What the choices for a step graph depend on. */
export interface PlanSettings {
  readonly graph: Graph;
  readonly uses: Uses;
  readonly target: Target;
  /** Of the devices that are to run it. */
  readonly limits: DeviceLimits;
  readonly tuned: TunedSchedules | undefined;
  readonly layouts: Layouts;
  /** The values that are stored in 16 bits. */
  readonly half: HalfValues;
  /**
   * How a parameter, and whatever lies as it does (what inference makes of it, its gradient and the
   * optimizer's states), is laid out in memory, by the id of the value.
   */
  readonly parameters: ReadonlyMap<number, StoredParameter>;
}

export function layoutOf({ layouts }: Pick<PlanSettings, "layouts">, value: Value) {
  return required<ActivationLayout>(layouts, value, "an activation");
}

export function parameterOf({ parameters }: Pick<PlanSettings, "parameters">, value: Value) {
  return required<StoredParameter>(parameters, value, "a parameter");
}

function required<Found>(known: ReadonlyMap<number, Found>, { id, name }: Value, what: string) {
  const found = known.get(id);
  if (found === undefined) throw new Error(`${name} is not ${what}`);
  return found;
}

/** `partialBytes`: what each part of K leaves, where it is split. */
export const sumsOf = ({ limits }: PlanSettings, partialBytes: number): PartialSums => {
  return { bindable: bindableBytes(limits), partialBytes };
};
