import { accumulatedRows, rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
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
  /** Code that hands the sums of all rows that a lane accumulated to `finish`. */
  eachRow(rows: FinishedRows): readonly string[];
}

/** What is left to do once a block's rows are summed. */
export interface FinishedRows {
  /** The sums, a variable for each row; successive variables are successive rows. */
  readonly sums: readonly string[];
  /** Condition for a row, counted from the lane's first, to be one of the result's; the same for all lanes. */
  readonly isInside: (row: string) => string;
  /** u32 variables, such as addresses, that a lane has for the rows it loads: one for each load, by name. */
  readonly perRow: readonly (readonly string[])[];
  /** A row's end: its number, counted from the lane's first, its sum, and its u32 values. */
  readonly finish: (row: string, sum: string, values: readonly string[]) => string;
}

export function exchangeFor(schedule: ContractionSchedule): Exchange {
  return schedule.exchange === "broadcast" ? broadcast(schedule) : throughWorkgroup(schedule);
}

/** Subgroup broadcasts: no workgroup memory and no barrier. Right for any subgroup of at least `rowLanes` lanes. */
function broadcast({ rowLanes }: ContractionSchedule): Exchange {
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
    eachRow: (rows) => finishInLoop(rows, rowLanes),
  };
}

/**
 * A loop whose end only the device knows. An epilogue is much code to software adapters, more than all multiply-adds, and unrolled
 * they compile it for seconds (an update of 32 rows for 20). Mesa sees through a `min` and through `row < 24`, not through this.
 */
function finishInLoop(
  { sums, isInside, perRow, finish }: FinishedRows,
  rowLanes: number,
): readonly string[] {
  const count = sums.length;
  const values = perRow.map((variables, index) => {
    const load = variables.length > 1 ? `row_values${index}[row / ${rowLanes}u]` : variables[0]!;
    return `subgroupShuffle(${load}, row % ${rowLanes}u)`;
  });
  return [
    `var sums = array<vec4f, ${count}>(${sums.join(", ")});`,
    ...perRow.flatMap((variables, index) =>
      variables.length > 1
        ? [`var row_values${index} = array<u32, ${variables.length}>(${variables.join(", ")});`]
        : [],
    ),
    wgsl`
      for (var row = 0u; row != ${count}u && ${isInside("row")}; row++) {
        ${finish("row", "sums[row]", values)}
      }`,
  ];
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
    // Unrolled: GPUs have no registers that a variable could count.
    eachRow: ({ sums, perRow, finish }) => [
      ...(perRow.length > 0 ? publish("places", perRow.flat()) : []),
      ...sums.map((sum, row) => {
        const values = perRow.map((_, which) => {
          return `places${ownRow(row, which > 0 ? `${which * rows}u + ` : "")}`;
        });
        return finish(`${row}u`, sum, values);
      }),
    ],
  };
}

/** Addresses that an epilogue may need per row: its own output and its operands. */
const MOST_INDICES = 6;

/** Names of the variables that hold a block's loads: `a0`, `a1`, ... */
export function loadNames(prefix: string, count: number): readonly string[] {
  return times(count, (load) => `${prefix}${load}`);
}
