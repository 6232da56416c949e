import { EpiloguePrinter, type Epilogue } from "./epilogue.js";
import { exchangeFor, loadNames, type Exchange } from "./exchange.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf, splitPixel } from "./place.js";
import type { ContractionSchedule } from "./schedule.js";
import { gradientSink, type Descent, type GradientSink, type GradientUse } from "./update.js";
import { times, wgsl } from "./wgsl.js";

/**
 * The contraction skeleton: a block of rows times vec4 columns in registers, four steps of K (or four rows) a load. Three
 * index maps over it give linear and convolution layers, forward and both gradients:
 *
 * - `pixels`: rows are output pixels, columns output channels, K runs over the kernel window and the input channels
 * - `features`: rows are rows of a weight matrix, columns images, K the output channels: a linear layer's input gradient
 * - `weights`: rows are (kernel row, kernel column, input channel), columns output channels, K the output pixels
 *
 * Every size is a constant of the step, not of the kernel, so that layers share pipelines. Tint leaves loops with bounds from
 * uniforms a counter of their own; in a register block of this size that is not noticeable.
 */

const COMPONENTS = [0, 1, 2, 3] as const;

/** Where a window's values lie: `segments` runs of `run` vec4, `segments_per_row` of them in each kernel row. */
const SEGMENTS = ["segments", "segments_per_row", "segment_row", "segment_column", "run"];

/** Place of a segment relative to the window's corner. */
const segmentPlace = (segment: string) =>
  `${segment} / constants.segments_per_row * constants.segment_row` +
  ` + ${segment} % constants.segments_per_row * constants.segment_column`;

/** Register block: `c0 += a0.x * b0`, row outside and K inside, one fma at a time (a sum of products would not fuse). */
function multiplyAdd(
  exchange: Exchange,
  { rowLanes, loads }: ContractionSchedule,
  a: readonly string[],
): readonly string[] {
  return times(rowLanes * loads, (row) => {
    const [load, lane] = [Math.floor(row / rowLanes), row % rowLanes];
    return COMPONENTS.map((k) => {
      const value = exchange.value(a, load, lane, k);
      return `c${row} = fma(vec4f(${value}), b${k}, c${row});`;
    }).join(" ");
  });
}

/** How many rows of the result a workgroup makes. */
export function rowsPerBlock({ rowLanes, loads }: ContractionSchedule): number {
  return rowLanes * loads;
}

/**
 * Convolution forward, its input gradient (as the convolution of the zero-padded output gradient with flipped, transposed
 * weights), and fully connected forward. a: activation with a halo wide enough for every window; b: [group][K][columns]; y: activation.
 */
export function pixelContraction(schedule: ContractionSchedule, epilogue: Epilogue): Kernel {
  const exchange = exchangeFor(schedule);
  const fused = new EpiloguePrinter(epilogue);
  const { rowLanes, loads, columns } = schedule;
  const rows = rowsPerBlock(schedule);
  const a = loadNames("a", loads);
  const places = ["y", ...fused.activations];
  return assemble({
    name: `contraction_pixels${fused.suffix}_${rows}x${4 * columns}`,
    summary: "Contraction: rows are output pixels, columns output channels, K the window.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
    ],
    constants: [
      ...["pixels", "width", "columns", "column_blocks", "first_quad"],
      ...SEGMENTS,
      ...["a_group", "b_group"],
      ...placeConstants("a"),
      ...placeConstants("y"),
      ...fused.constants,
    ],
    workgroupSize: columns,
    usesSubgroups: exchange.usesSubgroups,
    declarations: [...exchange.declarations, ...fused.declarations, finishRow(fused)],
    body: wgsl`
      let rows = frame.batch * constants.pixels;
      let first_row = block * ${rows}u;
      let group = plane / constants.column_blocks;
      let column = plane % constants.column_blocks * ${columns}u + lane;
      let row_lane = ${exchange.rowLane};
      ${times(loads, (load) => rowPlaces(load, rowLanes, places))}
      ${times(rows, (row) => `var c${row} = vec4f(0);`)}
      let columns = constants.columns;
      var b_place = group * constants.b_group + min(column, columns - 1u);
      for (var segment = 0u; segment < constants.segments; segment++) {
        let start = ${segmentPlace("segment")};
        let end = start + constants.run;
        for (var k = start; k < end; k++) {
          ${a.map((name, load) => `let ${name} = a[a_place${load} + k];`)}
          ${exchange.share(a)}
          ${COMPONENTS.map((k) => `let b${k} = b[b_place + ${k}u * columns];`)}
          ${multiplyAdd(exchange, schedule, a)}
          b_place += 4u * columns;
        }
      }
      let quad = group * columns + column;
      ${storeRows(exchange, schedule, places)}`,
  });
}

/** Lane's own pixel of one load, and where it lies in each operand. Rows beyond the last repeat it. */
function rowPlaces(load: number, rowLanes: number, places: readonly string[]): string {
  return wgsl`
    let row${load} = min(first_row + ${load * rowLanes}u + row_lane, rows - 1u);
    ${splitPixel(`row${load}`, load)}
    let a_place${load} = ${placeOf("a", load)} + group * constants.a_group;
    ${places.map((name) => `let ${name}_place${load} = ${placeOf(name, load)};`)}`;
}

/** Every row's result goes through `finish`; all lanes need each row's addresses, so they are exchanged first. */
function storeRows(
  exchange: Exchange,
  { rowLanes, loads }: ContractionSchedule,
  places: readonly string[],
): readonly string[] {
  const variables = places.flatMap((name) => times(loads, (load) => `${name}_place${load}`));
  return [
    ...exchange.shareIndices(variables),
    ...times(rowLanes * loads, (row) => {
      const [load, lane] = [Math.floor(row / rowLanes), row % rowLanes];
      const addresses = places.map((_, place) =>
        exchange.index(variables, place * loads + load, lane),
      );
      return `finish(first_row + ${row}u, column, quad, c${row}, ${addresses.join(", ")});`;
    }),
  ];
}

function finishRow(fused: EpiloguePrinter): string {
  const places = ["y", ...fused.activations].map((name) => `${name}_place: u32`).join(", ");
  const value = fused.print(
    "sum",
    "(quad + constants.first_quad)",
    "row",
    (name) => `${name}_place`,
  );
  return wgsl`
    fn finish(row: u32, column: u32, quad: u32, sum: vec4f, ${places}) {
      if (row < frame.batch * constants.pixels && column < constants.columns) {
        result[y_place + quad + constants.first_quad] = ${value};
      }
    }`;
}

/** Whether a features contraction starts from zero or adds to what another piece of the weights left. */
export type Start = "zero" | "stored";

/**
 * A fully connected layer's input gradient: rows are rows of the weights (features), a lane is an image.
 * a: weights [features][columns * 4]; b: output gradient [image][...]; y: input gradient [image][features].
 */
export function featureContraction(
  schedule: ContractionSchedule,
  epilogue: Epilogue,
  start: Start,
): Kernel {
  const exchange = exchangeFor(schedule);
  const fused = new EpiloguePrinter(epilogue);
  const { rowLanes, loads, columns } = schedule;
  const rows = rowsPerBlock(schedule);
  const a = loadNames("a", loads);
  return assemble({
    name: `contraction_features${fused.suffix}${start === "stored" ? "_added" : ""}_${rows}x${columns}`,
    summary: "Contraction: rows are features, columns images, K output channels.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
    ],
    constants: [
      ...["features", "quads", "pixels", "width", "run", "b_image", "b_base"],
      ...placeConstants("y"),
      ...fused.constants,
    ],
    workgroupSize: columns,
    usesSubgroups: exchange.usesSubgroups,
    declarations: [...exchange.declarations, ...fused.declarations, finishFeatures(fused, start)],
    body: wgsl`
      let first_row = plane * ${rows}u;
      let image = block * ${columns}u + lane;
      let row_lane = ${exchange.rowLane};
      ${times(
        loads,
        (load) => wgsl`
        let a_place${load} = min(first_row + ${load * rowLanes}u + row_lane, constants.features - 1u) * constants.run;`,
      )}
      let b_place = constants.b_base + min(image, frame.batch - 1u) * constants.b_image;
      ${times(rows, (row) => `var c${row} = 0f;`)}
      let run = constants.run;
      for (var k = 0u; k < run; k++) {
        ${a.map((name, load) => `let ${name} = a[a_place${load} + k];`)}
        ${exchange.share(a)}
        let b0 = b[b_place + k];
        ${times(rows, (row) => {
          const [load, lane] = [Math.floor(row / rowLanes), row % rowLanes];
          return COMPONENTS.map((k) => {
            const value = exchange.value(a, load, lane, k);
            return `c${row} = fma(${value}, b0.${"xyzw"[k]!}, c${row});`;
          }).join(" ");
        })}
      }
      ${times(rows / 4, (four) => {
        const sums = COMPONENTS.map((k) => `c${4 * four + k}`).join(", ");
        return `finish(image, first_row / 4u + ${four}u, vec4f(${sums}));`;
      })}`,
  });
}

/** Four successive features of an image are a channel quad of a pixel: features run as (y, x, channel). */
function finishFeatures(fused: EpiloguePrinter, start: Start): string {
  const value = fused.print("value", "quad", "pixel", (name) => `${name}_place`);
  return wgsl`
    fn finish(image: u32, feature_quad: u32, sum: vec4f) {
      if (image >= frame.batch || 4u * feature_quad >= constants.features) {
        return;
      }
      let quad = feature_quad % constants.quads;
      let place = feature_quad / constants.quads;
      let pixel = image * constants.pixels + place;
      let y = place / constants.width;
      let x = place % constants.width;
      ${["y", ...fused.activations].map((name) => `let ${name}_place = ${placeOf(name)};`)}
      let value = sum${start === "stored" ? " + result[y_place + quad]" : ""};
      result[y_place + quad] = ${value};
    }`;
}

/**
 * Weight gradient: a load holds four rows (successive input channels) of one output pixel; K runs over the pixels of the batch.
 * a: the layer's input; b: output gradient; the result lies like the weights: [group][rows][columns]. With `bias`, the workgroups of
 * the first rows sum the output gradient as well and apply it to the bias.
 */
export function weightContraction(
  schedule: ContractionSchedule,
  use: GradientUse,
  bias?: Descent,
): Kernel {
  const exchange = exchangeFor(schedule);
  const sink = gradientSink(use);
  const biasSink = bias && gradientSink(bias, "bias");
  const { rowLanes, loads, columns } = schedule;
  const quads = rowLanes * loads;
  const a = loadNames("a", loads);
  return assemble({
    name: `contraction_weights${bias ? "_bias" : ""}${sink.suffix}_${4 * quads}x${4 * columns}`,
    summary: "Contraction: rows are weights of a kernel window, columns output channels, K pixels.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      ...sink.storage,
      ...(biasSink?.storage ?? []),
    ],
    constants: [
      ...["height", "width", "columns", "column_blocks", "first_quad", "row_quads", "run_values"],
      ...SEGMENTS,
      ...["a_group", "y_group"],
      ...placeConstants("a"),
      ...placeConstants("b"),
      ...sink.constants,
      ...(biasSink?.constants ?? []),
    ],
    workgroupSize: columns,
    usesSubgroups: exchange.usesSubgroups,
    declarations: [
      ...exchange.declarations,
      ...sink.declarations,
      ...(biasSink?.declarations ?? []),
      finishWeights(sink),
    ],
    body: wgsl`
      let first_quad = block * ${quads}u;
      let group = plane / constants.column_blocks;
      let column = plane % constants.column_blocks * ${columns}u + lane;
      let row_lane = ${exchange.rowLane};
      ${times(
        loads,
        (load) => wgsl`
        let quad${load} = min(first_quad + ${load * rowLanes}u + row_lane, constants.row_quads - 1u);
        let segment${load} = quad${load} / constants.run;
        let a_place${load} = ${segmentPlace(`segment${load}`)} + quad${load} % constants.run + group * constants.a_group;`,
      )}
      let b_quad = group * constants.columns + min(column, constants.columns - 1u) + constants.first_quad;
      ${times(4 * quads, (row) => `var c${row} = vec4f(0);`)}
      let width = constants.width;
      let a_column = constants.a_column;
      let b_column = constants.b_column;
      ${overPixels(schedule, exchange, a)}
      ${times(4 * quads, (row) => `finish(4u * first_quad + ${row}u, group, column, c${row});`)}
      ${biasSink ? sumBias(biasSink) : ""}`,
  });
}

/** A loop of its own, for the workgroups of the first rows alone: in the other loop every workgroup would pay for it. */
const sumBias = (sink: GradientSink) => wgsl`
  if (block == 0u) {
    var bias_sum = vec4f(0);
    for (var line = 0u; line < frame.batch * constants.height; line++) {
      var b_line = ${B_LINE};
      for (var x = 0u; x < width; x++) {
        bias_sum += b[b_line];
        b_line += b_column;
      }
    }
    if (column < constants.columns) {
      ${sink.use("b_quad", "bias_sum")}
    }
  }`;

/** Where the output gradient's pixels of a line (a row of an image) start. */
const B_LINE =
  "constants.b_base + line / constants.height * constants.b_image + line % constants.height * constants.b_row + b_quad";

/** The loop over the batch's output pixels, row by row: every pixel adds its share to all rows of the block. */
function overPixels(
  { rowLanes, loads }: ContractionSchedule,
  exchange: Exchange,
  a: readonly string[],
): string {
  return wgsl`
    for (var line = 0u; line < frame.batch * constants.height; line++) {
      let image = line / constants.height;
      let y_row = line % constants.height;
      var a_line = constants.a_base + image * constants.a_image + y_row * constants.a_row;
      var b_line = ${B_LINE};
      for (var x = 0u; x < width; x++) {
        ${a.map((name, load) => `let ${name} = a[a_line + a_place${load}];`)}
        ${exchange.share(a)}
        let b0 = b[b_line];
        ${times(4 * rowLanes * loads, (row) => {
          const [load, lane] = [Math.floor(row / 4 / rowLanes), Math.floor(row / 4) % rowLanes];
          const value = exchange.value(a, load, lane, row % 4);
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
      ${sink.use("group * constants.y_group + row * constants.columns + column", "sum")}
    }
  }`;
