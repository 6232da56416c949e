import { accumulatedRows, rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import {
  code,
  joined,
  lane,
  local,
  named,
  offset,
  subgroupLane,
  text,
  workgroupArray,
  type Code,
  type Declared,
} from "./code.js";

/**
 * How the values of a block's rows reach all lanes: the one variable of the contraction skeleton. A
 * lane loads the values of one row; `share` makes them readable by every lane, `value` reads
 * them.
 */
export interface Exchange {
  /** The lane's place among the lanes that load rows. */
  readonly rowLane: Code;
  /** The lane's place among the lanes that divide the columns. */
  readonly columnLane: Code;
  /**
   * The first of the block's rows that the lane accumulates; undefined if that is the block's
   * first.
   */
  readonly firstRow: Code | undefined;
  readonly declarations: readonly Declared[];
  /** Code that publishes the vec4 variables, one for each load. */
  share(variables: readonly Code[]): readonly Code[];
  /** The vec4 of a row, counted from the lane's first. */
  row(variables: readonly Code[], row: number): Code;
  /** One component of it. */
  value(variables: readonly Code[], row: number, component: number): Code;
  /** Code that hands the sums of all rows that a lane accumulated to `finish`. */
  eachRow(rows: FinishedRows): readonly Code[];
}

/** What is left to do once a block's rows are summed. */
export interface FinishedRows {
  /** The sums, a variable for each row; successive variables are successive rows. */
  readonly sums: readonly Code[];
  /**
   * Condition for a row, counted from the lane's first, to be one of the result's; the same for all
   * lanes.
   */
  readonly isInside: (row: Code) => Code;
  /**
   * u32 variables, such as addresses, that a lane has for the rows it loads: one for each load, by
   * name.
   */
  readonly perRow: readonly (readonly Code[])[];
  /** A row's end: its number, counted from the lane's first, its sum, and its u32 values. */
  readonly finish: (row: Code | number, sum: Code, values: readonly Code[]) => Code;
}

export function exchangeFor(schedule: ContractionSchedule): Exchange {
  return schedule.exchange === "broadcast" ? broadcast(schedule) : throughWorkgroup(schedule);
}

const COMPONENTS = ["x", "y", "z", "w"];

/**
 * Subgroup broadcasts: no workgroup memory and no barrier. Right for any subgroup of at least
 * `rowLanes` lanes.
 */
function broadcast({ rowLanes }: ContractionSchedule): Exchange {
  const broadcastOf = (value: Code, row: number) =>
    code`subgroupBroadcast(${value}, ${row % rowLanes})`;
  const loadOf = (variables: readonly Code[], row: number) =>
    variables[Math.floor(row / rowLanes)]!;
  return {
    rowLane: code`${subgroupLane} % ${named("ROW_LANES", rowLanes)}`,
    columnLane: lane,
    firstRow: undefined,
    declarations: [],
    share: () => [],
    // Component by component: of a whole vec4, SwiftShader takes 6% longer for a convolution.
    row: (variables, row) => {
      const components = COMPONENTS.map((name) =>
        broadcastOf(code`${loadOf(variables, row)}.${text(name)}`, row),
      );
      return code`vec4f(${joined(components, ", ")})`;
    },
    value: (variables, row, index) => broadcastOf(code`${loadOf(variables, row)}[${index}]`, row),
    eachRow: (rows) => finishInLoop(rows, rowLanes),
  };
}

/**
 * A loop whose end only the device knows. An epilogue is much code to software adapters, more than
 * all multiply-adds, and unrolled they compile it for seconds (an update of 32 rows for 20). Mesa
 * sees through a `min` and through `row < 24`, not through this.
 */
function finishInLoop(
  { sums, isInside, perRow, finish }: FinishedRows,
  rowLanes: number,
): readonly Code[] {
  const values = perRow.map((variables, index) => {
    const load =
      variables.length > 1 ? code`${local("row_values", index)}[row / ${rowLanes}]` : variables[0]!;
    return code`subgroupShuffle(${load}, row % ${rowLanes})`;
  });
  const row = code`row`;
  return [
    code`var sums = ${arrayOf("vec4f", sums)};`,
    ...perRow.flatMap((variables, index) =>
      variables.length > 1
        ? [code`var ${local("row_values", index)} = ${arrayOf("u32", variables)};`]
        : [],
    ),
    code`
      for (var row = 0u; row != ${sums.length} && ${isInside(row)}; row++) {
        ${finish(row, code`sums[row]`, values)}
      }`,
  ];
}

const arrayOf = (type: "vec4f" | "u32", values: readonly Code[]) =>
  code`array<${local(type)}, ${local("", values.length)}>(${joined(values, ", ")})`;

/**
 * A tile in workgroup memory between two barriers: nothing that an adapter could lack, and free of
 * cost where a workgroup is one wave.
 */
function throughWorkgroup(schedule: ContractionSchedule): Exchange {
  const { rowLanes, columns } = schedule;
  const rows = rowsPerBlock(schedule);
  const hasGroups = accumulatedRows(schedule) < rows;
  const ownRows = named("LANE_ROWS", accumulatedRows(schedule));
  const tile = workgroupArray("tile", "vec4f", rows);
  const places = workgroupArray("places", "u32", rows * MOST_INDICES);
  const ownRow = (array: Code, row: number) =>
    code`${array}[${hasGroups ? offset(code`own_row`, row) : row}]`;
  const publish = (into: Code, variables: readonly Code[], what: Code) => [
    code`// ${what}`,
    code`workgroupBarrier();`,
    code`
      if (${lane} < ${named("ROW_LANES", rowLanes)}) {
        ${variables.map((name, load) => code`${into}[${offset(lane, load * rowLanes)}] = ${name};`)}
      }`,
    code`workgroupBarrier();`,
  ];
  return {
    rowLane: code`${lane} % ${named("ROW_LANES", rowLanes)}`,
    columnLane: hasGroups ? code`${lane} % ${named("COLUMN_LANES", columns)}` : lane,
    firstRow: hasGroups
      ? code`${lane} / ${named("COLUMN_LANES", columns)} * ${ownRows}`
      : undefined,
    declarations: [tile, places],
    share: (variables) => publish(tile, variables, code`Share rows.`),
    row: (_, row) => ownRow(tile, row),
    value: (_, row, index) => code`${ownRow(tile, row)}[${index}]`,
    // Unrolled: GPUs have no registers that a variable could count.
    eachRow: ({ sums, perRow, finish }) => [
      ...(perRow.length > 0 ? publish(places, perRow.flat(), code`Share places.`) : []),
      ...sums.map((sum, row) => {
        const values = perRow.map((_, which) => ownRow(places, which * rows + row));
        return finish(row, sum, values);
      }),
    ],
  };
}

/** Addresses that an epilogue may need per row: its own output and its operands. */
const MOST_INDICES = 6;
