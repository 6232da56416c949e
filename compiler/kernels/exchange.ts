import { accumulatedRows, rowsPerBlock, type ContractionSchedule } from "./schedule.js";
import { times, wgsl } from "./wgsl.js";

/**
 * How the values of a block's rows reach all lanes: the one variable of the contraction skeleton. A lane loads the values of
 * its own row; `share` makes them readable by every lane, `value` reads them.
 */
export interface Exchange {
  /** Expression for the lane's place among the lanes that load rows. */
  readonly rowLane: string;
  /** Expression for the lane's place among the lanes that divide the columns. */
  readonly columnLane: string;
  /** Expression for the first of the block's rows that the lane accumulates. */
  readonly firstRow: string;
  readonly usesSubgroups: boolean;
  readonly declarations: readonly string[];
  /** Code that publishes the vec4 variables, one for each load. */
  share(variables: readonly string[]): readonly string[];
  /** One component of the vec4 of a row, counted from the lane's first. */
  value(variables: readonly string[], row: number, component: number): string;
  /** Code that publishes u32 variables, one for each load of each of several; used for addresses, outside hot loops. */
  shareIndices(variables: readonly string[]): readonly string[];
  /** The u32 of a row, of the `which`-th of the published. */
  index(variables: readonly string[], which: number, row: number): string;
}

export function exchangeFor(schedule: ContractionSchedule): Exchange {
  return schedule.exchange === "broadcast" ? broadcast(schedule) : throughWorkgroup(schedule);
}

/** Subgroup broadcasts: no workgroup memory and no barrier. Right for any subgroup of at least `rowLanes` lanes. */
function broadcast({ rowLanes, loads }: ContractionSchedule): Exchange {
  const read = (variable: string, row: number) =>
    `subgroupBroadcast(${variable}, ${row % rowLanes}u)`;
  const loadOf = (row: number) => Math.floor(row / rowLanes);
  return {
    rowLane: `subgroup_lane % ${rowLanes}u`,
    columnLane: "lane",
    firstRow: "0u",
    usesSubgroups: true,
    declarations: [],
    share: () => [],
    value: (variables, row, component) =>
      read(`${variables[loadOf(row)]!}.${"xyzw"[component]!}`, row),
    shareIndices: () => [],
    index: (variables, which, row) => read(variables[which * loads + loadOf(row)]!, row),
  };
}

/** A tile in workgroup memory between two barriers: nothing that an adapter could lack, and free of cost where a workgroup is one wave. */
function throughWorkgroup(schedule: ContractionSchedule): Exchange {
  const { rowLanes, columns } = schedule;
  const rows = rowsPerBlock(schedule);
  const hasGroups = accumulatedRows(schedule) < rows;
  const ownRow = (row: number, before = "") =>
    hasGroups ? `[${before}own_row + ${row}u]` : `[${before}${row}u]`;
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
    columnLane: hasGroups ? `lane % ${columns}u` : "lane",
    firstRow: hasGroups ? `lane / ${columns}u * ${accumulatedRows(schedule)}u` : "0u",
    usesSubgroups: false,
    declarations: [
      `var<workgroup> tile: array<vec4f, ${rows}>;`,
      `var<workgroup> places: array<u32, ${rows * MOST_INDICES}>;`,
    ],
    share: (variables) => publish("tile", variables),
    value: (_, row, component) => `tile${ownRow(row)}.${"xyzw"[component]!}`,
    shareIndices: (variables) => publish("places", variables),
    index: (_, which, row) => `places${ownRow(row, which > 0 ? `${which * rows}u + ` : "")}`,
  };
}

/** Addresses that an epilogue may need per row: its own output and its operands. */
const MOST_INDICES = 6;

/** Names of the variables that hold a block's loads: `a0`, `a1`, ... */
export function loadNames(prefix: string, count: number): readonly string[] {
  return times(count, (load) => `${prefix}${load}`);
}
