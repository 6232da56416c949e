import type { ContractionSchedule } from "./schedule.js";
import { times, wgsl } from "./wgsl.js";

/**
 * How the values of a block's rows reach all lanes: the one variable of the contraction skeleton. A lane loads the values of
 * its own row; `share` makes them readable by every lane, `value` reads them.
 */
export interface Exchange {
  /** Expression for the lane's place among the row lanes. */
  readonly rowLane: string;
  readonly usesSubgroups: boolean;
  readonly declarations: readonly string[];
  /** Code that publishes the vec4 variables, one for each load. */
  share(variables: readonly string[]): readonly string[];
  /** One component of the vec4 variable `variables[load]` as row lane `lane` holds it. */
  value(variables: readonly string[], load: number, lane: number, component: number): string;
  /** Code that publishes u32 variables, and how to read them; used for addresses, outside hot loops. */
  shareIndices(variables: readonly string[]): readonly string[];
  index(variables: readonly string[], which: number, lane: number): string;
}

export function exchangeFor(schedule: ContractionSchedule): Exchange {
  return schedule.exchange === "broadcast" ? broadcast(schedule) : throughWorkgroup(schedule);
}

/** Subgroup broadcasts: no workgroup memory and no barrier. Right for any subgroup of at least `rowLanes` lanes. */
function broadcast({ rowLanes }: ContractionSchedule): Exchange {
  return {
    rowLane: `subgroup_lane % ${rowLanes}u`,
    usesSubgroups: true,
    declarations: [],
    share: () => [],
    value: (variables, load, lane, component) =>
      `subgroupBroadcast(${variables[load]!}.${"xyzw"[component]!}, ${lane}u)`,
    shareIndices: () => [],
    index: (variables, which, lane) => `subgroupBroadcast(${variables[which]!}, ${lane}u)`,
  };
}

/** A tile in workgroup memory between two barriers, for adapters without subgroups. */
function throughWorkgroup({ rowLanes, loads }: ContractionSchedule): Exchange {
  const publish = (tile: string, variables: readonly string[]) => [
    "workgroupBarrier();",
    wgsl`
      if (lane < ${rowLanes}u) {
        ${variables.map((name, load) => `${tile}[lane + ${load * rowLanes}u] = ${name};`)}
      }`,
    "workgroupBarrier();",
  ];
  return {
    rowLane: `lane % ${rowLanes}u`,
    usesSubgroups: false,
    declarations: [
      `var<workgroup> tile: array<vec4f, ${rowLanes * loads}>;`,
      `var<workgroup> places: array<u32, ${rowLanes * loads * MOST_INDICES}>;`,
    ],
    share: (variables) => publish("tile", variables),
    value: (_, load, lane, component) => `tile[${load * rowLanes + lane}u].${"xyzw"[component]!}`,
    shareIndices: (variables) => publish("places", variables),
    index: (_, which, lane) => `places[${which * rowLanes + lane}u]`,
  };
}

/** Addresses that an epilogue may need per row: its own output and its operands. */
const MOST_INDICES = 6;

/** Names of the variables that hold a block's loads: `a0`, `a1`, ... */
export function loadNames(prefix: string, count: number): readonly string[] {
  return times(count, (load) => `${prefix}${load}`);
}
