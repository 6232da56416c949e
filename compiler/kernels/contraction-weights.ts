import {
  accumulatedRows,
  isSplit,
  lanesOf,
  rowsPerBlock,
  type ContractionSchedule,
} from "../schedules/schedule.js";
import { read, written, type Loaded } from "./bindings.js";
import {
  block,
  code,
  frame,
  helper,
  local,
  locals,
  named,
  offset,
  plane,
  times,
  type Code,
} from "./code.js";
import { places, SEGMENT, segmentPlace, tileName } from "./contraction-block.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { exchangeFor, type Exchange } from "./exchange.js";
import {
  gradientSink,
  type Descent,
  type GradientSink,
  type GradientUse,
} from "./gradient-sink.js";

/** How a gradient of weights is computed, and what becomes of it and of their bias's. */
export interface WeightVariant<Use extends GradientUse = GradientUse> {
  readonly schedule: ContractionSchedule;
  readonly use: Use;
  readonly bias?: Descent | undefined;
}

const CONSTANTS = {
  height: "u32",
  width: "u32",
  columns: "u32",
  column_blocks: "u32",
  first_quad: "u32",
  row_quads: "u32",
  run_values: "u32",
  ...SEGMENT,
  input_group: "u32",
  result_group: "u32",
  input: "place",
  gradient: "place",
} as const;

const SPLIT = { groups: "u32", splits: "u32", partial_quads: "u32" } as const;

const { k } = scopeOf({ bindings: {}, constants: { ...SPLIT, ...CONSTANTS } });

/**
 * Weight gradient: a load holds four rows (successive input channels) of one output pixel; K runs
 * over the pixels of the batch. input: the layer's; gradient: of its output; the result lies like
 * the weights: [group][rows][columns]. With `bias`, the workgroups of the first rows sum the output
 * gradient as well and apply it to the bias.
 *
 * Where K is split, a workgroup goes through a part of the lines (rows of an image's pixels), and
 * `use` is left to `updateFromPartials`: sums are stored as [split][weights, then bias].
 */
export const weightContraction = defineKernel(
  "contraction_weights",
  ({ schedule, use, bias }: WeightVariant) => {
    const exchange = exchangeFor(schedule);
    const split = isSplit(schedule);
    const ofParts = split ? SPLIT : undefined;
    const sink = split ? PARTIALS : gradientSink(use);
    const biasSink = bias && (split ? BIAS_PARTIALS : gradientSink(bias, "bias"));
    const quads = rowsPerBlock(schedule);
    const columnLanes = named("COLUMN_LANES", schedule.columns);
    const tile = tileName(schedule, 4 * quads, 4 * schedule.columns);
    return {
      suffix: `${bias ? "_bias" : ""}${sink.suffix}_${tile}`,
      summary:
        "Contraction: rows are weights of a kernel window, columns output channels, K pixels.",
      bindings: { input: read("vec4f"), gradient: read("vec4f") },
      constants: { ...ofParts, ...CONSTANTS },
      declarations: exchange.declarations,
      fragments: [sink, biasSink],
      lanes: lanesOf(schedule),
      body: ({ io }) => code`
        // The lane's part.
        let first_quad = ${block} * ${named("BLOCK_QUADS", quads)};
        ${split && code`let split = ${plane} / (${k.column_blocks} * ${k.groups});`}
        let group = ${plane} / ${k.column_blocks}${split && code` % ${k.groups}`};
        let column = ${plane} % ${k.column_blocks} * ${columnLanes} + ${exchange.columnLane};
        ${places(exchange)}
        ${times(schedule.loads, (load) => rowPlace(load, schedule))}
        let gradient_quad = group * ${k.columns} + min(column, ${k.columns} - 1u) + ${k.first_quad};
        ${sumsOf(schedule).map((sum) => code`var ${sum} = vec4f(0);`)}
        ${split ? PART_OF_LINES : ALL_LINES}
        let width = ${k.width};
        let input_column = ${k.input.column};
        let gradient_column = ${k.gradient.column};
        ${overPixels(schedule, exchange, io)}
        // Write.
        ${finishRows(schedule, exchange, split ? FINISH_PARTIAL : finishWeights(sink))}
        ${biasSink && sumBias(biasSink, exchange, io.gradient)}`,
    };
  },
);

const sumsOf = (schedule: ContractionSchedule) => locals("sum", 4 * accumulatedRows(schedule));

/** Where the values of a load's four rows lie in the input, from its window's corner on. */
function rowPlace(load: number, { rowLanes }: ContractionSchedule): Code {
  const [quad, segment] = [local("quad", load), local("segment", load)];
  const own = offset(code`first_quad + row_lane`, load * rowLanes);
  const place = segmentPlace(k, segment);
  return code`
    let ${quad} = min(${own}, ${k.row_quads} - 1u);
    let ${segment} = ${quad} / ${k.run};
    let ${local("input_place", load)} = ${place} + ${quad} % ${k.run} + group * ${k.input_group};`;
}

function finishRows(
  schedule: ContractionSchedule,
  exchange: Exchange,
  finish: Code,
): readonly Code[] {
  const from = code`4u * ${exchange.firstRow ? code`(first_quad + own_row)` : code`first_quad`}`;
  const split = isSplit(schedule) && code`split, `;
  return exchange.eachRow({
    sums: sumsOf(schedule),
    isInside: (row) => code`4u * first_quad + ${row} < 4u * ${k.row_quads}`,
    perRow: [],
    finish: (row, sum) => code`${finish}(${offset(from, row)}, group, column, ${split}${sum});`,
  });
}

/** The lines through which a workgroup goes. */
const ALL_LINES = code`
  let first_line = 0u;
  let last_line = ${frame.batch} * ${k.height};`;

const PART_OF_LINES = code`
  let part = (${frame.batch} * ${k.height} + ${k.splits} - 1u) / ${k.splits};
  let first_line = split * part;
  let last_line = min(first_line + part, ${frame.batch} * ${k.height});`;

/** Where sums of a part of the lines go. */
export const PARTIALS_INTERFACE = {
  bindings: { result: written("vec4f") },
  constants: {},
} as const;

const { result } = scopeOf(PARTIALS_INTERFACE).io;

const PARTIALS: GradientSink = {
  ...PARTIALS_INTERFACE,
  suffix: "",
  use: (at, gradient) => result.store(code`split * ${k.partial_quads} + ${at}`, gradient),
};

/** Where sums of the bias's part go: behind those of the weights. */
export const BIAS_PARTIALS_INTERFACE = {
  bindings: {},
  constants: { weight_quads: "u32" },
} as const;

const { weight_quads: weightQuads } = scopeOf(BIAS_PARTIALS_INTERFACE).k;

const BIAS_PARTIALS: GradientSink = {
  ...BIAS_PARTIALS_INTERFACE,
  suffix: "",
  use: (at, gradient) => PARTIALS.use(code`${weightQuads} + ${at}`, gradient),
};

/**
 * A separate loop for the workgroups of the first rows alone: in the other loop every workgroup
 * would pay for it. Lines are summed by themselves, and images of them: of a single sum of all
 * pixels, the last digits would be lost.
 */
const sumBias = (sink: GradientSink, { firstRow }: Exchange, gradient: Loaded) => code`
  if (${block} == 0u${firstRow && code` && own_row == 0u`}) {
    // The bias: line by line, to keep digits.
    var bias_sum = vec4f(0);
    var image_sum = vec4f(0);
    for (var line = first_line; line < last_line; line++) {
      var gradient_line = ${GRADIENT_LINE};
      var line_sum = vec4f(0);
      for (var x = 0u; x < width; x++) {
        line_sum += ${gradient.load(code`gradient_line`)};
        gradient_line += gradient_column;
      }
      image_sum += line_sum;
      if ((line + 1u) % ${k.height} == 0u) {
        bias_sum += image_sum;
        image_sum = vec4f(0);
      }
    }
    bias_sum += image_sum;
    if (column < ${k.columns}) {
      ${sink.use(code`gradient_quad`, code`bias_sum`)}
    }
  }`;

/** Where a row's vec4 of columns lies among the weights. */
const WEIGHT_PLACE = code`group * ${k.result_group} + row * ${k.columns} + column`;

/** Where the output gradient's pixels of a line (a row of an image) start. */
const GRADIENT_IMAGE = code`${k.gradient.base} + line / ${k.height} * ${k.gradient.image}`;
const GRADIENT_ROW = code`line % ${k.height} * ${k.gradient.row}`;
const GRADIENT_LINE = code`${GRADIENT_IMAGE} + ${GRADIENT_ROW} + gradient_quad`;

type Operands = Readonly<Record<"input" | "gradient", Loaded>>;

/**
 * The loop over the batch's output pixels, row by row: every pixel adds its share to all rows of
 * the block.
 */
function overPixels(schedule: ContractionSchedule, exchange: Exchange, io: Operands): Code {
  const rows = locals("input", schedule.loads);
  return code`
    for (var line = first_line; line < last_line; line++) {
      let image = line / ${k.height};
      let y = line % ${k.height};
      var input_line = ${k.input.base} + image * ${k.input.image} + y * ${k.input.row};
      var gradient_line = ${GRADIENT_LINE};
      for (var x = 0u; x < width; x++) {
        ${rows.map((name, load) => {
          const at = code`input_line + ${local("input_place", load)}`;
          return code`let ${name} = ${io.input.load(at)};`;
        })}
        ${exchange.share(rows)}
        // Multiply.
        let gradient0 = ${io.gradient.load(code`gradient_line`)};
        ${sumsOf(schedule).map((sum, row) => {
          const value = exchange.value(rows, Math.floor(row / 4), row % 4);
          return code`${sum} = fma(vec4f(${value}), gradient0, ${sum});`;
        })}
        input_line += input_column;
        gradient_line += gradient_column;
      }
    }`;
}

/**
 * Rows beyond a run's values belong to the padding of the weights, which is zero and has no
 * gradient.
 */
const finishWeights = (sink: GradientSink) =>
  helper(
    "finish",
    code`
      fn finish(row: u32, group: u32, column: u32, sum: vec4f) {
        let is_value = row % (4u * ${k.run}) < ${k.run_values};
        if (row < 4u * ${k.row_quads} && column < ${k.columns} && is_value) {
          ${sink.use(WEIGHT_PLACE, code`sum`)}
        }
      }`,
  );

/** A partial sum is written for the padding as well: its memory may hold anything. */
const FINISH_PARTIAL = helper(
  "finish",
  code`
    fn finish(row: u32, group: u32, column: u32, split: u32, sum: vec4f) {
      let is_value = row % (4u * ${k.run}) < ${k.run_values};
      if (row < 4u * ${k.row_quads} && column < ${k.columns}) {
        ${PARTIALS.use(WEIGHT_PLACE, code`select(vec4f(0), sum, is_value)`)}
      }
    }`,
);
