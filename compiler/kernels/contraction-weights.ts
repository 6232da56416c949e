import { places, SEGMENTS, segmentPlace, tileName } from "./contraction-block.js";
import { exchangeFor, loadNames, type Exchange } from "./exchange.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants } from "./place.js";
import {
  accumulatedRows,
  isSplit,
  lanesOf,
  rowsPerBlock,
  type ContractionSchedule,
} from "../schedules/schedule.js";
import { gradientSink, type Descent, type GradientSink, type GradientUse } from "./update.js";
import { times, wgsl } from "./wgsl.js";

/**
 * Weight gradient: a load holds four rows (successive input channels) of one output pixel; K runs over the pixels of the batch.
 * a: the layer's input; b: output gradient; the result lies like the weights: [group][rows][columns]. With `bias`, the workgroups of
 * the first rows sum the output gradient as well and apply it to the bias.
 *
 * Where K is split, a workgroup goes through a part of the lines (rows of an image's pixels), and `use` is left to `updateFromPartials`:
 * sums are stored as [split][weights, then bias].
 */
export function weightContraction(
  schedule: ContractionSchedule,
  use: GradientUse,
  bias?: Descent,
): Kernel {
  const exchange = exchangeFor(schedule);
  const split = isSplit(schedule);
  const sink = split ? PARTIALS : gradientSink(use);
  const biasSink = bias && (split ? BIAS_PARTIALS : gradientSink(bias, "bias"));
  const { rowLanes, loads, columns } = schedule;
  const quads = rowsPerBlock(schedule);
  const own = 4 * accumulatedRows(schedule);
  const a = loadNames("a", loads);
  return assemble({
    name: `contraction_weights${bias ? "_bias" : ""}${sink.suffix}_${tileName(schedule, 4 * quads, 4 * columns)}`,
    summary: "Contraction: rows are weights of a kernel window, columns output channels, K pixels.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      ...sink.storage,
      ...(biasSink?.storage ?? []),
    ],
    constants: [
      ...(split ? ["groups", "splits", "partial_quads", "weight_quads"] : []),
      ...["height", "width", "columns", "column_blocks", "first_quad", "row_quads", "run_values"],
      ...SEGMENTS,
      ...["a_group", "y_group"],
      ...placeConstants("a"),
      ...placeConstants("b"),
      ...sink.constants,
      ...(biasSink?.constants ?? []),
    ],
    workgroupSize: lanesOf(schedule),
    usesSubgroups: exchange.usesSubgroups,
    usesPlanes: true,
    declarations: [
      ...exchange.declarations,
      ...sink.declarations,
      ...(biasSink?.declarations ?? []),
      split ? finishPartial : finishWeights(sink),
    ],
    body: wgsl`
      let first_quad = block * ${quads}u;
      ${split ? "let split = plane / (constants.column_blocks * constants.groups);" : ""}
      let group = plane / constants.column_blocks${split ? " % constants.groups" : ""};
      let column = plane % constants.column_blocks * ${columns}u + ${exchange.columnLane};
      ${places(exchange)}
      ${times(
        loads,
        (load) => wgsl`
        let quad${load} = min(first_quad + ${load * rowLanes}u + row_lane, constants.row_quads - 1u);
        let segment${load} = quad${load} / constants.run;
        let a_place${load} = ${segmentPlace(`segment${load}`)} + quad${load} % constants.run + group * constants.a_group;`,
      )}
      let b_quad = group * constants.columns + min(column, constants.columns - 1u) + constants.first_quad;
      ${times(own, (row) => `var c${row} = vec4f(0);`)}
      ${split ? PART_OF_LINES : ALL_LINES}
      let width = constants.width;
      let a_column = constants.a_column;
      let b_column = constants.b_column;
      ${overPixels(schedule, exchange, a)}
      ${finishRows(schedule, exchange)}
      ${biasSink ? sumBias(biasSink, exchange) : ""}`,
  });
}

function finishRows(schedule: ContractionSchedule, exchange: Exchange): readonly string[] {
  const from = exchange.firstRow === "0u" ? "first_quad" : "(first_quad + own_row)";
  const split = isSplit(schedule) ? "split, " : "";
  return exchange.eachRow({
    sums: loadNames("c", 4 * accumulatedRows(schedule)),
    isInside: (row) => `4u * first_quad + ${row} < 4u * constants.row_quads`,
    perRow: [],
    finish: (row, sum) => `finish(4u * ${from} + ${row}, group, column, ${split}${sum});`,
  });
}

/** The lines through which a workgroup goes. */
const ALL_LINES = wgsl`
  let first_line = 0u;
  let last_line = frame.batch * constants.height;`;

const PART_OF_LINES = wgsl`
  let part = (frame.batch * constants.height + constants.splits - 1u) / constants.splits;
  let first_line = split * part;
  let last_line = min(first_line + part, frame.batch * constants.height);`;

/** Where sums of a part of the lines go. */
const PARTIALS: GradientSink = {
  storage: [{ name: "result", access: "read_write", element: "vec4f" }],
  constants: [],
  declarations: [],
  suffix: "",
  use: (at, gradient) => `result[split * constants.partial_quads + ${at}] = ${gradient};`,
};

const BIAS_PARTIALS: GradientSink = {
  ...PARTIALS,
  storage: [],
  use: (at, gradient) => PARTIALS.use(`constants.weight_quads + ${at}`, gradient),
};

/**
 * A loop of its own, for the workgroups of the first rows alone: in the other loop every workgroup would pay for it. Lines are summed
 * by themselves, and images of them: of a single sum of all pixels, the last digits would be lost.
 */
const sumBias = (sink: GradientSink, exchange: Exchange) => wgsl`
  if (block == 0u${exchange.firstRow === "0u" ? "" : " && own_row == 0u"}) {
    var bias_sum = vec4f(0);
    var image_sum = vec4f(0);
    for (var line = first_line; line < last_line; line++) {
      var b_line = ${B_LINE};
      var line_sum = vec4f(0);
      for (var x = 0u; x < width; x++) {
        line_sum += b[b_line];
        b_line += b_column;
      }
      image_sum += line_sum;
      if ((line + 1u) % constants.height == 0u) {
        bias_sum += image_sum;
        image_sum = vec4f(0);
      }
    }
    bias_sum += image_sum;
    if (column < constants.columns) {
      ${sink.use("b_quad", "bias_sum")}
    }
  }`;

/** Where a row's vec4 of columns lies among the weights. */
const WEIGHT_PLACE = "group * constants.y_group + row * constants.columns + column";

/** Where the output gradient's pixels of a line (a row of an image) start. */
const B_LINE =
  "constants.b_base + line / constants.height * constants.b_image + line % constants.height * constants.b_row + b_quad";

/** The loop over the batch's output pixels, row by row: every pixel adds its share to all rows of the block. */
function overPixels(
  schedule: ContractionSchedule,
  exchange: Exchange,
  a: readonly string[],
): string {
  return wgsl`
    for (var line = first_line; line < last_line; line++) {
      let image = line / constants.height;
      let y_row = line % constants.height;
      var a_line = constants.a_base + image * constants.a_image + y_row * constants.a_row;
      var b_line = ${B_LINE};
      for (var x = 0u; x < width; x++) {
        ${a.map((name, load) => `let ${name} = a[a_line + a_place${load}];`)}
        ${exchange.share(a)}
        let b0 = b[b_line];
        ${times(4 * accumulatedRows(schedule), (row) => {
          const value = exchange.value(a, Math.floor(row / 4), row % 4);
          return `c${row} = fma(vec4f(${value}), b0, c${row});`;
        })}
        a_line += a_column;
        b_line += b_column;
      }
    }`;
}

/** Rows beyond a run's values belong to the padding of the weights, which is zero and has no gradient. */
const finishWeights = (sink: GradientSink) => wgsl`
  fn finish(row: u32, group: u32, column: u32, sum: vec4f) {
    let is_value = row % (4u * constants.run) < constants.run_values;
    if (row < 4u * constants.row_quads && column < constants.columns && is_value) {
      ${sink.use(WEIGHT_PLACE, "sum")}
    }
  }`;

/** A partial sum is written for the padding as well: its memory may hold anything. */
const finishPartial = wgsl`
  fn finish(row: u32, group: u32, column: u32, split: u32, sum: vec4f) {
    let is_value = row % (4u * constants.run) < constants.run_values;
    if (row < 4u * constants.row_quads && column < constants.columns) {
      ${PARTIALS.use(WEIGHT_PLACE, "select(vec4f(0), sum, is_value)")}
    }
  }`;
