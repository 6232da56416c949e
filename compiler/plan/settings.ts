import { bindableBytes, type DeviceLimits } from "../../program/limits.js";
import type { Target } from "../../program/program.js";
import type { Graph, Value } from "../ir/graph.js";
import type { Uses } from "../ir/uses.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { Layouts } from "../layout/choose-layouts.js";
import type { HalfValues } from "../layout/halves.js";
import type { Wholes } from "../layout/share-memory.js";
import type { StoredParameter } from "../layout/parameters.js";
import type { PartialSums } from "../schedules/index.js";
import type { Schedules } from "./schedules.js";

/** What is known of a step graph for all adapters. */
export interface GraphSettings {
  readonly graph: Graph;
  readonly uses: Uses;
  /** Of the devices that are to run it. */
  readonly limits: DeviceLimits;
  readonly layouts: Layouts;
  /** Values that lie in the memory of others. */
  readonly wholes: Wholes;
  /** The values that are stored in 16 bits. */
  readonly half: HalfValues;
  /**
   * How a parameter, and whatever lies as it does (what inference makes of it, its gradient and the
   * optimizer's states), is laid out in memory, by the id of the value.
   */
  readonly parameters: ReadonlyMap<number, StoredParameter>;
}

/** What differs between adapters. */
export interface AdapterSettings {
  readonly target: Target;
  readonly schedules: Schedules;
}

/** What the choices for contractions depend on. */
export type PlanSettings = GraphSettings & AdapterSettings;

export function layoutOf({ layouts }: Pick<GraphSettings, "layouts">, value: Value) {
  return required<ActivationLayout>(layouts, value, "an activation");
}

export function parameterOf({ parameters }: Pick<GraphSettings, "parameters">, value: Value) {
  return required<StoredParameter>(parameters, value, "a parameter");
}

function required<Found>(known: ReadonlyMap<number, Found>, { id, name }: Value, what: string) {
  const found = known.get(id);
  if (found === undefined) throw new Error(`${name} is not ${what}`);
  return found;
}

/** `partialBytes`: what each part of K leaves, where it is split. */
export const sumsOf = ({ limits }: GraphSettings, partialBytes: number): PartialSums => {
  return { bindable: bindableBytes(limits), partialBytes };
};
