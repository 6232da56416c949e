import {
  accumulatedRows,
  isSplit,
  lanesOf,
  rowsPerBlock,
  type ContractionSchedule,
} from "../schedules/schedule.js";
import { read, written } from "./bindings.js";
import {
  block,
  code,
  component,
  frame,
  helper,
  joined,
  local,
  locals,
  named,
  offset,
  plane,
  stepped,
  times,
  type Code,
} from "./code.js";
import type { PlaceCode } from "./constants.js";
import {
  COMPONENTS,
  multiplyAdd,
  ownRow,
  places,
  SEGMENTS,
  segmentPlace,
  tileName,
} from "./contraction-block.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { epilogueFragment, type Epilogue, type EpilogueFragment } from "./epilogue.js";
import { exchangeFor, type Exchange } from "./exchange.js";
import { gatherFragment, type Gathered, type GatherFragment } from "./gather.js";
import { placeName, splitPixel } from "./pixels.js";

/**
 * How the second operand lies: [group][K][columns], or, as weights for their layer's input
 * gradient, [columns][K].
 */
export type ColumnOrder = "columns last" | "columns first";

export interface PixelVariant {
  readonly schedule: ContractionSchedule;
  readonly epilogue: Epilogue;
  /** `columns last` if absent. */
  readonly order?: ColumnOrder | undefined;
  /** What is left of the results for a reduction of each channel; not where K is split. */
  readonly gathered?: Gathered | undefined;
  /** Whether each matrix of rows has a second operand, an activation; not where K is split. */
  readonly ofImages?: true;
}

const COMMON = {
  pixels: "u32",
  width: "u32",
  columns: "u32",
  column_blocks: "u32",
  first_quad: "u32",
  ...SEGMENTS,
  input_group: "u32",
  weights_group: "u32",
} as const;

const TRANSPOSED = { weights_column: "u32" } as const;
/**
 * Rows of a matrix and blocks of them, values of K, and columns without those that fill up a vec4.
 */
const OF_IMAGES = {
  matrix_rows: "u32",
  row_blocks: "u32",
  depth: "u32",
  all_columns: "u32",
} as const;
const SPLIT = { groups: "u32", splits: "u32", first_split: "u32", quads: "u32" } as const;
const INPUT = { input: "place" } as const;
const WHOLE = { result: "place" } as const;

const CONSTANTS = { ...COMMON, ...TRANSPOSED, ...OF_IMAGES, ...SPLIT, ...INPUT, ...WHOLE } as const;

const { k } = scopeOf({ bindings: {}, constants: CONSTANTS });

const BINDINGS = {
  input: read("vec4f"),
  weights: read("vec4f"),
  result: written("vec4f"),
} as const;

const { io } = scopeOf({ bindings: BINDINGS, constants: {} });

/**
 * Convolution forward, its input gradient (as the convolution of the zero-padded output gradient
 * with flipped, transposed weights), fully connected forward and input gradient. input: activation
 * with a halo wide enough for every window; result: activation.
 *
 * Where K is split, a workgroup sums a part of it, and what it has is stored without the epilogue
 * as [split][row][quad], for `sumPartials` to finish. Where it is not, a lane may gather its
 * results, which are of one channel quad, for a reduction of each channel.
 *
 * Where each matrix of rows has a second operand, of which an image has one or more, a block has
 * rows of one matrix, and the matrix takes the place of the group.
 */
export const pixelContraction = defineKernel(
  "contraction_pixels",
  ({ schedule, epilogue, order = "columns last", gathered, ofImages }: PixelVariant) => {
    const exchange = exchangeFor(schedule);
    const fused = epilogueFragment(epilogue);
    const gather = gathered && gatherFragment(gathered);
    const rows = rowsPerBlock(schedule);
    const columnLanes = named("COLUMN_LANES", schedule.columns);
    const split = isSplit(schedule);
    const transposed = order === "columns first";
    const ofOrder = transposed ? TRANSPOSED : undefined;
    const ownOfImages = ofImages ? OF_IMAGES : undefined;
    const [ofParts, ofWhole] = split
      ? ([SPLIT, undefined] as const)
      : ([undefined, WHOLE] as const);
    const addresses = split ? [] : addressesOf(fused, gather);
    const walk = ofImages ? COLUMNS_OF_IMAGES[order] : COLUMNS[order];
    const form = `${ofImages ? "_of_images" : ""}${transposed ? "_transposed" : ""}`;
    const words = `${form}${fused.suffix}${gather?.suffix ?? ""}`;
    return {
      suffix: `${words}_${tileName(schedule, rows, 4 * schedule.columns)}`,
      summary: "Contraction: rows are output pixels, columns output channels, K the window.",
      bindings: BINDINGS,
      constants: {
        ...COMMON,
        ...ofOrder,
        ...ownOfImages,
        ...ofParts,
        ...INPUT,
        ...ofWhole,
      },
      declarations: exchange.declarations,
      fragments: [fused, gather],
      lanes: lanesOf(schedule),
      body: () => code`
        // The lane's part.
        ${ofImages ? rowsOfImage(rows) : rowsOfBatch(rows, split)}
        let column = ${plane} % ${k.column_blocks} * ${columnLanes} + ${exchange.columnLane};
        ${places(exchange)}
        ${times(schedule.loads, (load) => rowPlaces(load, schedule.rowLanes, addresses))}
        ${sumsOf(schedule).map((sum) => code`var ${sum} = vec4f(0);`)}
        let columns = ${k.columns};
        ${walk.start}
        ${overK(schedule, exchange, { walk, ahead: !ofImages && loadsAhead(schedule, order) })}
        // Write.
        let quad = ${k.first_quad}${!ofImages && code` + group * columns`} + column;
        ${storeRows(exchange, schedule, {
          addresses,
          given: split ? [code`${k.first_split} + split`] : ofImages ? [code`rows`] : [],
          finish: split ? FINISH_PARTIAL : finishRow(fused, gather, ofImages),
        })}
        ${gather && leavePart(gather, exchange, accumulatedRows(schedule))}`,
    };
  },
);

const rowsOfBatch = (rows: number, split: boolean): Code => code`
  let rows = ${frame.batch} * ${k.pixels};
  let first_row = ${block} * ${named("BLOCK_ROWS", rows)};
  ${split && code`let split = ${plane} / (${k.column_blocks} * ${k.groups});`}
  let group = ${plane} / ${k.column_blocks}${split && code` % ${k.groups}`};`;

/** The rows of the block's matrix end before `rows`. */
const rowsOfImage = (rows: number): Code => code`
  let group = ${block} / ${k.row_blocks};
  let rows = (group + 1u) * ${k.matrix_rows};
  let block_row = ${block} % ${k.row_blocks} * ${named("BLOCK_ROWS", rows)};
  let first_row = group * ${k.matrix_rows} + block_row;`;

const sumsOf = (schedule: ContractionSchedule) => locals("sum", accumulatedRows(schedule));

/** Where a row lies in an activation. */
interface Address {
  readonly name: string;
  readonly at: PlaceCode["at"];
}

function addressesOf(fused: EpilogueFragment, gather: GatherFragment | undefined): Address[] {
  const of = (part: EpilogueFragment | GatherFragment) =>
    part.activations.map((name): Address => {
      return { name, at: (image, y, x) => part.placeOf(name, image, y, x) };
    });
  return [{ name: "result", at: k.result.at }, ...of(fused), ...(gather ? of(gather) : [])];
}

/** How a lane walks through the second operand: to its column, to a step of K, and to the next. */
interface ColumnWalk {
  readonly start: Code;
  /** Moves on by a number of steps; one if absent. */
  readonly skip: (steps?: Code) => Code;
  /** What is loaded for four values of K. */
  readonly loads: readonly Load[];
  /** Makes `weights0` to `weights3` of it, the vec4 of columns, where it is not these already. */
  readonly derive: readonly Code[];
}

/** A variable with what is loaded into it, and the one for the value of the next turn. */
interface Load {
  readonly name: Code;
  readonly next: Code;
  readonly value: Code;
}

const loadFor = (prefix: string, value: (component: number) => Code): readonly Load[] =>
  COMPONENTS.map((index) => ({
    name: local(prefix, index),
    next: local(`next_${prefix}`, index),
    value: value(index),
  }));

const FIRST_WEIGHTS = code`group * ${k.weights_group}`;
const FIRST_COLUMN = code`min(column, columns - 1u)`;

const COLUMNS: Readonly<Record<ColumnOrder, ColumnWalk>> = {
  "columns last": {
    start: code`var weights_place = ${FIRST_WEIGHTS} + ${FIRST_COLUMN};`,
    skip: (steps) => code`weights_place += 4u * columns${steps && code` * ${steps}`};`,
    loads: loadFor("weights", (row) =>
      io.weights.load(stepped(code`weights_place`, row, code`columns`)),
    ),
    derive: [],
  },
  "columns first": {
    start: code`var weights_place = ${FIRST_WEIGHTS} + 4u * ${FIRST_COLUMN} * ${k.weights_column};`,
    skip: (steps) => code`weights_place += ${steps ?? 1};`,
    loads: loadFor("column", (column) =>
      io.weights.load(stepped(code`weights_place`, column, k.weights_column)),
    ),
    derive: COMPONENTS.map((row) => {
      const values = COMPONENTS.map((column) => component(local("column", column), row));
      return code`let ${local("weights", row)} = vec4f(${joined(values, ", ")});`;
    }),
  },
};

/** What fills up a vec4 of activations may be anything, and behind a matrix there is another. */
const within = (value: Code, first: Code, count: Code): Code =>
  code`select(vec4f(0), ${value}, 4u * ${first} + vec4u(0u, 1u, 2u, 3u) < vec4u(${count}))`;

const rowOfImage = (row: number): Code => {
  const value = io.weights.load(stepped(code`weights_place`, row, code`columns`));
  return code`select(vec4f(0), ${value}, ${offset(code`4u * k`, row)} < ${k.depth})`;
};

const columnOfImage = (column: number): Code =>
  within(io.weights.load(stepped(code`weights_place`, column, k.weights_column)), code`k`, k.depth);

const COLUMNS_OF_IMAGES: Readonly<Record<ColumnOrder, ColumnWalk>> = {
  "columns last": { ...COLUMNS["columns last"], loads: loadFor("weights", rowOfImage) },
  "columns first": { ...COLUMNS["columns first"], loads: loadFor("column", columnOfImage) },
};

/** A turn of the loop over K. */
interface Turn {
  /** The code before the loop, whose first step of K is given. */
  readonly before: (first: Code) => readonly Code[];
  readonly body: readonly Code[];
}

/**
 * From this many rows per lane on, a turn is long enough for another turn's loads to pay for the
 * registers that hold them.
 */
const LEAST_ROWS_AHEAD = 16;

/**
 * Whether the loads of the next turn begin before the multiply-adds of this one, so that they wait
 * for each other less. On RDNA3 a turn then has fewer instructions, too (docs/performance.md);
 * software adapters wait for nothing.
 */
const loadsAhead = (schedule: ContractionSchedule, order: ColumnOrder) =>
  schedule.exchange === "workgroup" &&
  (order === "columns first" || accumulatedRows(schedule) >= LEAST_ROWS_AHEAD);

/** How the loop over K reads its operands. */
interface Loop {
  readonly walk: ColumnWalk;
  /** Whether a turn begins to load what the next one reads. */
  readonly ahead: boolean;
}

function turnOf(schedule: ContractionSchedule, exchange: Exchange, { walk, ahead }: Loop): Turn {
  const { loads, derive, skip } = walk;
  const rows = locals("input", schedule.loads);
  const rowAt = (load: number, at: Code) =>
    io.input.load(code`${placeName("input", load)} + ${at}`);
  if (!ahead) {
    const body = code`
      ${rows.map((name, load) => code`let ${name} = ${rowAt(load, code`k`)};`)}
      ${exchange.share(rows)}
      ${[...loads.map(({ name, value }) => code`let ${name} = ${value};`), ...derive]}
      // Multiply.
      ${multiplyAdd(exchange, schedule, rows)}
      ${skip()}`;
    return { before: () => [], body: [body] };
  }
  // Once shared, rows are read from the tile. What is loaded beyond the last step is not used.
  const body = [
    ...exchange.share(rows),
    ...derive,
    code`// Load ahead: memory is slow.`,
    ...rows.map((name, load) => code`${name} = ${rowAt(load, code`k + 1u`)};`),
    skip(),
    ...loads.map(({ next, value }) => code`let ${next} = ${value};`),
    code`// Multiply.`,
    ...multiplyAdd(exchange, schedule, rows),
    ...loads.map(({ name, next }) => code`${name} = ${next};`),
  ];
  const before = (first: Code) => [
    ...rows.map((name, load) => code`var ${name} = ${rowAt(load, first)};`),
    ...loads.map(({ name, value }) => code`var ${name} = ${value};`),
  ];
  return { before, body };
}

function overK(schedule: ContractionSchedule, exchange: Exchange, loop: Loop): Code {
  const turn = turnOf(schedule, exchange, loop);
  return isSplit(schedule) ? overPartOfK(loop.walk, turn) : overWholeK(turn);
}

const SEGMENT_START = segmentPlace(k, code`segment`);

const overWholeK = ({ before, body }: Turn) => code`
  for (var segment = 0u; segment < ${k.segments}; segment++) {
    let start = ${SEGMENT_START};
    let end = start + ${k.run};
    ${[...before(code`start`), code`for (var k = start; k < end; k++) {`]}
      ${body}
    }
  }`;

const FIRST_OF_PART = code`start + max(first, segment * run) - segment * run`;

/** The same from step `first` of K to before `last`, which may lie within segments. */
const overPartOfK = ({ skip }: ColumnWalk, { before, body }: Turn) => code`
  let run = ${k.run};
  let part = (${k.segments} * run + ${k.splits} - 1u) / ${k.splits};
  let first = split * part;
  let last = min(first + part, ${k.segments} * run);
  ${skip(code`first`)}
  for (var segment = first / run; segment * run < last; segment++) {
    let start = ${SEGMENT_START};
    let end = start + min(run, last - segment * run);
    ${[...before(FIRST_OF_PART), code`for (var k = ${FIRST_OF_PART}; k < end; k++) {`]}
      ${body}
    }
  }`;

const OWN_LOAD = code`first_row + row_lane`;

/**
 * Lane's own pixel of one load, and where it lies in each operand. Rows beyond the last repeat it.
 */
function rowPlaces(load: number, rowLanes: number, addresses: readonly Address[]): Code {
  const [image, y, x] = [local("image", load), local("y", load), local("x", load)];
  return code`
    let ${local("row", load)} = min(${offset(OWN_LOAD, load * rowLanes)}, rows - 1u);
    ${splitPixel(local("row", load), k, load)}
    let ${placeName("input", load)} = ${k.input.at(image, y, x)} + group * ${k.input_group};
    ${addresses.map(({ name, at }) => code`let ${placeName(name, load)} = ${at(image, y, x)};`)}`;
}

interface Storing {
  readonly addresses: readonly Address[];
  /** What `finish` is given behind the row's place. */
  readonly given: readonly Code[];
  readonly finish: Code;
}

/**
 * Every row's result goes through `finish`; all lanes need each row's addresses, so they are
 * exchanged first.
 */
function storeRows(
  exchange: Exchange,
  schedule: ContractionSchedule,
  { addresses, given: others, finish }: Storing,
): readonly Code[] {
  return exchange.eachRow({
    sums: sumsOf(schedule),
    isInside: (row) => code`first_row + ${row} < rows`,
    perRow: addresses.map(({ name }) => locals(`${name}_place`, schedule.loads)),
    finish: (row, sum, values) => {
      const at = offset(code`first_row${ownRow(exchange)}`, row);
      const given = [at, code`column`, code`quad`, ...others, sum, ...values];
      return code`${finish}(${joined(given, ", ")});`;
    },
  });
}

/** The lane's channel quad of the result. */
const QUAD = code`quad`;

/**
 * The rows that a lane accumulated are a part of its channel's values, the last part perhaps with
 * fewer.
 */
const leavePart = (gather: GatherFragment, exchange: Exchange, own: number) => code`
  let part = ${exchange.firstRow ? code`(first_row + own_row)` : code`first_row`} / ${own};
  ${gather.leave(code`part`, QUAD)}`;

function finishRow(
  fused: EpilogueFragment,
  gather: GatherFragment | undefined,
  ofImages: true | undefined,
): Code {
  const activations = [...fused.activations, ...(gather?.activations ?? [])];
  const parameters = ["result", ...activations].map((name) => code`${placeName(name)}: u32`);
  const value = fused.finish({
    value: ofImages ? within(code`sum`, code`column`, k.all_columns) : code`sum`,
    quad: QUAD,
    pixel: code`row`,
    pixels: k.pixels,
    place: placeName,
  });
  const store = (made: Code) => io.result.store(code`result_place + quad`, made);
  const stored = gather
    ? [code`let made = ${value};`, store(code`made`), gather.take(QUAD)]
    : store(value);
  const parameterList = joined(parameters, ", ");
  const rowsGiven = ofImages && code`, rows: u32`;
  const inImage = ofImages && code` && row < rows`;
  return helper(
    "finish",
    code`
      fn finish(row: u32, column: u32, quad: u32${rowsGiven}, sum: vec4f, ${parameterList}) {
        if (row < ${frame.batch} * ${k.pixels}${inImage} && column < ${k.columns}) {
          ${stored}
        }
      }`,
  );
}

const PARTIAL_PLACE = code`(split * rows + row) * ${k.quads} + quad`;

const FINISH_PARTIAL = helper(
  "finish",
  code`
    fn finish(row: u32, column: u32, quad: u32, split: u32, sum: vec4f) {
      let rows = ${frame.batch} * ${k.pixels};
      if (row < rows && column < ${k.columns}) {
        ${io.result.store(PARTIAL_PLACE, code`sum`)}
      }
    }`,
);
