import { loadNames } from "./exchange.js";
import { assemble, type Kernel } from "./kernel.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import { gradientSink, type Descent, type GradientSink } from "./update.js";
import { times, wgsl } from "./wgsl.js";

/** The most images for which the form pays: their output gradients stay in registers. */
export const RANK_IMAGES = 8;

/** Rows of weights that a workgroup goes through. */
export const RANK_ROWS = 64;

/**
 * A fully connected layer's weight gradient, applied at once, for a few images: a loop over rows of the weights (features), each
 * read and written once, which is all the time it takes. Unrolled rows, as the contraction has, would be waiting for memory as well
 * and overflow the instruction cache. a: the layer's input, scalars; b: output gradient; w and states: [features][columns].
 */
export function rankUpdate(
  schedule: ContractionSchedule,
  descent: Descent,
  bias?: Descent,
): Kernel {
  const sink = gradientSink(descent);
  const biasSink = bias && gradientSink(bias, "bias");
  const { rowLanes, loads, columns } = schedule;
  const x = loadNames("x", loads);
  return assemble({
    name: `rank${bias ? "_bias" : ""}${sink.suffix}_${rowLanes * loads}x${4 * columns}`,
    summary: "Weight gradient of a few images, applied row by row.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "b", access: "read", element: "vec4f" },
      ...sink.storage,
      ...(biasSink?.storage ?? []),
    ],
    constants: [
      ...["features", "columns", "first_quad", "a_image", "b_image", "b_base"],
      ...sink.constants,
      ...(biasSink?.constants ?? []),
    ],
    workgroupSize: columns,
    usesSubgroups: true,
    usesPlanes: true,
    declarations: [...sink.declarations, ...(biasSink?.declarations ?? [])],
    body: wgsl`
      let column = block * ${columns}u + lane;
      let quad = constants.first_quad + min(column, constants.columns - 1u);
      let row_lane = subgroup_lane % ${rowLanes}u;
      let last_image = frame.batch - 1u;
      ${x.map((_, load) => `let a_place${load} = min(${load * rowLanes}u + row_lane, last_image) * constants.a_image;`)}
      ${times(
        rowLanes * loads,
        (image) => wgsl`
        let d${image} = select(vec4f(0), b[constants.b_base + min(${image}u, last_image) * constants.b_image + quad], ${image}u <= last_image);`,
      )}
      let first = plane * ${RANK_ROWS}u;
      let end = min(first + ${RANK_ROWS}u, constants.features);
      for (var row = first; row < end; row++) {
        ${x.map((name, load) => `let ${name} = a[a_place${load} + row];`)}
        var gradient = vec4f(0);
        ${times(rowLanes * loads, (image) => {
          const value = `subgroupBroadcast(${x[Math.floor(image / rowLanes)]!}, ${image % rowLanes}u)`;
          return `gradient = fma(vec4f(${value}), d${image}, gradient);`;
        })}
        if (column < constants.columns) {
          ${sink.use("row * constants.columns + column", "gradient")}
        }
      }
      ${biasSink ? sumBias(biasSink, rowLanes * loads) : ""}`,
  });
}

const sumBias = (sink: GradientSink, images: number) => wgsl`
  if (plane == 0u && column < constants.columns) {
    let bias_sum = ${times(images, (image) => `d${image}`).join(" + ")};
    ${sink.use("quad", "bias_sum")}
  }`;
