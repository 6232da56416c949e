import {
  COMPONENTS,
  multiplyAdd,
  ownRow,
  places,
  SEGMENTS,
  segmentPlace,
  tileName,
} from "./contraction-block.js";
import { EpiloguePrinter, type Epilogue } from "./epilogue.js";
import { gathering, type Gathered, type Gathering } from "./gather.js";
import { exchangeFor, loadNames, type Exchange } from "./exchange.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf, splitPixel } from "./place.js";
import {
  accumulatedRows,
  isSplit,
  lanesOf,
  rowsPerBlock,
  type ContractionSchedule,
} from "../schedules/schedule.js";
import { times, wgsl } from "./wgsl.js";

/** How the second operand lies: [group][K][columns], or, as weights for their layer's input gradient, [columns][K]. */
export type ColumnOrder = "columns last" | "columns first";

export interface PixelVariant {
  /** `columns last` if absent. */
  readonly order?: ColumnOrder | undefined;
  /** What is left of the results for a reduction of each channel; not where K is split. */
  readonly gathered?: Gathered | undefined;
}

/**
 * Convolution forward, its input gradient (as the convolution of the zero-padded output gradient with flipped, transposed
 * weights), fully connected forward and input gradient. a: activation with a halo wide enough for every window; y: activation.
 *
 * Where K is split, a workgroup sums a part of it, and what it has is stored without the epilogue as [split][row][quad], for
 * `sumPartials` to finish. Where it is not, a lane may gather its results, which are of one channel quad, for a reduction of each channel.
 */
export function pixelContraction(
  schedule: ContractionSchedule,
  epilogue: Epilogue,
  { order = "columns last", gathered }: PixelVariant = {},
): Kernel {
  const exchange = exchangeFor(schedule);
  const fused = new EpiloguePrinter(epilogue);
  const rows = rowsPerBlock(schedule);
  const own = accumulatedRows(schedule);
  const split = isSplit(schedule);
  const gather = gathered && gathering(gathered);
  const addresses = split ? [] : ["y", ...fused.activations, ...(gather?.activations ?? [])];
  const transposed = order === "columns first";
  const name = `contraction_pixels${transposed ? "_transposed" : ""}${fused.suffix}${gather?.suffix ?? ""}`;
  return assemble({
    name: `${name}_${tileName(schedule, rows, 4 * schedule.columns)}`,
    summary: "Contraction: rows are output pixels, columns output channels, K the window.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
      ...(gather?.storage ?? []),
    ],
    constants: [
      ...["pixels", "width", "columns", "column_blocks", "first_quad"],
      ...SEGMENTS,
      ...["a_group", "b_group"],
      ...(transposed ? ["b_column"] : []),
      ...(split ? ["groups", "splits", "first_split", "quads"] : []),
      ...placeConstants("a"),
      ...(split ? [] : placeConstants("y")),
      ...fused.constants,
      ...(gather?.constants ?? []),
    ],
    workgroupSize: lanesOf(schedule),
    usesSubgroups: exchange.usesSubgroups,
    usesPlanes: true,
    declarations: [
      ...exchange.declarations,
      ...fused.declarations,
      ...(gather?.declarations ?? []),
      split ? finishPartial : finishRow(fused, gather),
    ],
    body: wgsl`
      let rows = frame.batch * constants.pixels;
      let first_row = block * ${rows}u;
      ${split ? "let split = plane / (constants.column_blocks * constants.groups);" : ""}
      let group = plane / constants.column_blocks${split ? " % constants.groups" : ""};
      let column = plane % constants.column_blocks * ${schedule.columns}u + ${exchange.columnLane};
      ${places(exchange)}
      ${times(schedule.loads, (load) => rowPlaces(load, schedule.rowLanes, addresses))}
      ${times(own, (row) => `var c${row} = vec4f(0);`)}
      let columns = constants.columns;
      ${COLUMNS[order].start}
      ${overK(schedule, exchange, order)}
      let quad = group * columns + column;
      ${storeRows(exchange, schedule, addresses)}
      ${gather ? leavePart(gather, exchange, own) : []}`,
  });
}

/** How a lane walks through the second operand: to its column, to a step of K, and to the next. */
interface ColumnWalk {
  readonly start: string;
  /** Moves on by a number of steps. */
  readonly skip: (steps: string) => string;
  /** What is loaded for four values of K, by name. */
  readonly loads: Readonly<Record<string, string>>;
  /** Makes `b0` to `b3` of it, the vec4 of columns, where it is not these already. */
  readonly derive: readonly string[];
}

const byComponent = <Value>(make: (component: number) => readonly [string, Value]) =>
  Object.fromEntries(COMPONENTS.map(make));

const COLUMNS: Readonly<Record<ColumnOrder, ColumnWalk>> = {
  "columns last": {
    start: "var b_place = group * constants.b_group + min(column, columns - 1u);",
    skip: (steps) => `b_place += 4u * columns * ${steps};`,
    loads: byComponent((k) => [`b${k}`, `b[b_place + ${k}u * columns]`]),
    derive: [],
  },
  "columns first": {
    start:
      "var b_place = group * constants.b_group + 4u * min(column, columns - 1u) * constants.b_column;",
    skip: (steps) => `b_place += ${steps};`,
    loads: byComponent((c) => [`column${c}`, `b[b_place + ${c}u * constants.b_column]`]),
    derive: COMPONENTS.map((k) => {
      const values = COMPONENTS.map((c) => `column${c}.${"xyzw"[k]!}`).join(", ");
      return `let b${k} = vec4f(${values});`;
    }),
  },
};

/** A turn of the loop over K. */
interface Turn {
  /** What stands before the loop, whose first step of K is given. */
  readonly before: (first: string) => readonly string[];
  readonly body: readonly string[];
}

/** From so many rows a lane on, a turn is long enough for another turn's loads to pay for the registers that hold them. */
const LEAST_ROWS_AHEAD = 16;

/**
 * Whether the loads of the next turn begin before the multiply-adds of this one, so that they wait for each other less. On RDNA3 a turn
 * then has fewer instructions, too (docs/performance.md); software adapters wait for nothing.
 */
const loadsAhead = (schedule: ContractionSchedule, order: ColumnOrder) =>
  schedule.exchange === "workgroup" &&
  (order === "columns first" || accumulatedRows(schedule) >= LEAST_ROWS_AHEAD);

function turnOf(schedule: ContractionSchedule, exchange: Exchange, order: ColumnOrder): Turn {
  const { loads, derive, skip } = COLUMNS[order];
  const a = loadNames("a", schedule.loads);
  const rowAt = (load: number, k: string) => `a[a_place${load} + ${k}]`;
  const seconds = Object.entries(loads);
  if (!loadsAhead(schedule, order)) {
    const body = wgsl`
      ${a.map((name, load) => `let ${name} = ${rowAt(load, "k")};`)}
      ${exchange.share(a)}
      ${[...seconds.map(([name, value]) => `let ${name} = ${value};`), ...derive]}
      ${multiplyAdd(exchange, schedule, a)}
      ${skip("1u")}`;
    return { before: () => [], body: [body] };
  }
  // Once shared, rows are read from the tile. What is loaded beyond the last step is not used.
  const body = [
    ...exchange.share(a),
    ...derive,
    ...a.map((name, load) => `${name} = ${rowAt(load, "k + 1u")};`),
    skip("1u"),
    ...seconds.map(([name, value]) => `let next_${name} = ${value};`),
    ...multiplyAdd(exchange, schedule, a),
    ...seconds.map(([name]) => `${name} = next_${name};`),
  ];
  const before = (first: string) => [
    ...a.map((name, load) => `var ${name} = ${rowAt(load, first)};`),
    ...seconds.map(([name, value]) => `var ${name} = ${value};`),
  ];
  return { before, body };
}

function overK(schedule: ContractionSchedule, exchange: Exchange, order: ColumnOrder): string {
  const turn = turnOf(schedule, exchange, order);
  return isSplit(schedule) ? overPartOfK(COLUMNS[order], turn) : overWholeK(turn);
}

const overWholeK = ({ before, body }: Turn) => wgsl`
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = ${segmentPlace("segment")};
    let end = start + constants.run;
    ${[...before("start"), "for (var k = start; k < end; k++) {"]}
      ${body}
    }
  }`;

/** The same from step `first` of K to before `last`, which may lie within segments. */
const overPartOfK = ({ skip }: ColumnWalk, { before, body }: Turn) => wgsl`
  let run = constants.run;
  let part = (constants.segments * run + constants.splits - 1u) / constants.splits;
  let first = split * part;
  let last = min(first + part, constants.segments * run);
  ${skip("first")}
  for (var segment = first / run; segment * run < last; segment++) {
    let start = ${segmentPlace("segment")};
    let end = start + min(run, last - segment * run);
    ${[...before(FIRST_OF_PART), `for (var k = ${FIRST_OF_PART}; k < end; k++) {`]}
      ${body}
    }
  }`;

const FIRST_OF_PART = "start + max(first, segment * run) - segment * run";

/** Lane's own pixel of one load, and where it lies in each operand. Rows beyond the last repeat it. */
function rowPlaces(load: number, rowLanes: number, addresses: readonly string[]): string {
  return wgsl`
    let row${load} = min(first_row + ${load * rowLanes}u + row_lane, rows - 1u);
    ${splitPixel(`row${load}`, load)}
    let a_place${load} = ${placeOf("a", load)} + group * constants.a_group;
    ${addresses.map((name) => `let ${name}_place${load} = ${placeOf(name, load)};`)}`;
}

/** Every row's result goes through `finish`; all lanes need each row's addresses, so they are exchanged first. */
function storeRows(
  exchange: Exchange,
  schedule: ContractionSchedule,
  addresses: readonly string[],
): readonly string[] {
  const split = isSplit(schedule) ? "constants.first_split + split, " : "";
  return exchange.eachRow({
    sums: loadNames("c", accumulatedRows(schedule)),
    isInside: (row) => `first_row + ${row} < rows`,
    perRow: addresses.map((name) => loadNames(`${name}_place`, schedule.loads)),
    finish: (row, sum, places) => {
      const at = `first_row${ownRow(exchange)} + ${row}`;
      return `finish(${[at, "column", `quad, ${split}${sum}`, ...places].join(", ")});`;
    },
  });
}

/** Where a lane's channel quad lies in the result. */
const OWN_QUAD = "(quad + constants.first_quad)";

/** The rows that a lane accumulated are a part of its channel's values, the last part perhaps with fewer. */
const leavePart = (gather: Gathering, exchange: Exchange, own: number) => wgsl`
  let part = (first_row${ownRow(exchange)}) / ${own}u;
  ${gather.leave("part", OWN_QUAD)}`;

function finishRow(fused: EpiloguePrinter, gather?: Gathering): string {
  const activations = [...fused.activations, ...(gather?.activations ?? [])];
  const places = ["y", ...activations].map((name) => `${name}_place: u32`).join(", ");
  const value = fused.print("sum", OWN_QUAD, "row", (name) => `${name}_place`);
  const store = (made: string) => `result[y_place + quad + constants.first_quad] = ${made};`;
  return wgsl`
    fn finish(row: u32, column: u32, quad: u32, sum: vec4f, ${places}) {
      if (row < frame.batch * constants.pixels && column < constants.columns) {
        ${gather ? [`let made = ${value};`, store("made"), gather.take(OWN_QUAD)] : store(value)}
      }
    }`;
}

const finishPartial = wgsl`
  fn finish(row: u32, column: u32, quad: u32, split: u32, sum: vec4f) {
    let rows = frame.batch * constants.pixels;
    if (row < rows && column < constants.columns) {
      result[(split * rows + row) * constants.quads + quad + constants.first_quad] = sum;
    }
  }`;
