import { read } from "./bindings.js";
import {
  block,
  code,
  frame,
  joined,
  lane,
  local,
  locals,
  named,
  offset,
  plane,
  subgroupLane,
  times,
  type Code,
} from "./code.js";
import type { ConstantCode } from "./constants.js";
import type { WeightVariant } from "./contraction-weights.js";
import { defineKernel } from "./define-kernel.js";
import { gradientSink, type Descent, type GradientSink } from "./gradient-sink.js";

/** Rows of weights that a workgroup goes through. */
export const RANK_ROWS = 64;

const BLOCK_ROWS = named("BLOCK_ROWS", RANK_ROWS);

const CONSTANTS = {
  features: "u32",
  columns: "u32",
  first_quad: "u32",
  input_image: "u32",
  gradient_image: "u32",
  gradient_base: "u32",
} as const;

/**
 * A fully connected layer's weight gradient, applied at once, for a few images: a loop over rows of
 * the weights (features), each read and written once, which is all the time it takes. Unrolled
 * rows, as the contraction has, would be waiting for memory as well and overflow the instruction
 * cache. input: the layer's, scalars; gradient: of its output; weights and states:
 * [features][columns].
 */
export const rankUpdate = defineKernel(
  "rank",
  ({ schedule, use, bias }: WeightVariant<Descent>) => {
    const sink = gradientSink(use);
    const biasSink = bias && gradientSink(bias, "bias");
    const { rowLanes, loads, columns } = schedule;
    const images = rowLanes * loads;
    const values = locals("input", loads);
    return {
      suffix: `${bias ? "_bias" : ""}${sink.suffix}_${images}x${4 * columns}`,
      summary: "Weight gradient of a few images, applied row by row.",
      bindings: { input: read("f32"), gradient: read("vec4f") },
      constants: CONSTANTS,
      fragments: [sink, biasSink],
      lanes: columns,
      body: ({ io, k }) => code`
      let column = ${block} * ${named("COLUMN_LANES", columns)} + ${lane};
      let quad = ${k.first_quad} + min(column, ${k.columns} - 1u);
      let row_lane = ${subgroupLane} % ${named("ROW_LANES", rowLanes)};
      let last_image = ${frame.batch} - 1u;
      ${values.map((_, load) => {
        const image = code`min(${offset(code`row_lane`, load * rowLanes)}, last_image)`;
        return code`let ${local("input_place", load)} = ${image} * ${k.input_image};`;
      })}
      ${times(images, (image) => {
        const start = code`min(${image}, last_image) * ${k.gradient_image}`;
        const at = code`${k.gradient_base} + ${start} + quad`;
        const loaded = io.gradient.load(at);
        const value = code`select(vec4f(0), ${loaded}, ${image} <= last_image)`;
        return code`let ${local("gradient", image)} = ${value};`;
      })}
      // Update row by row.
      let first = ${plane} * ${BLOCK_ROWS};
      let end = min(first + ${BLOCK_ROWS}, ${k.features});
      for (var row = first; row < end; row++) {
        ${values.map((name, load) => {
          return code`let ${name} = ${io.input.load(code`${local("input_place", load)} + row`)};`;
        })}
        var sum = vec4f(0);
        ${times(images, (image) => {
          const from = values[Math.floor(image / rowLanes)]!;
          const value = code`subgroupBroadcast(${from}, ${image % rowLanes})`;
          return code`sum = fma(vec4f(${value}), ${local("gradient", image)}, sum);`;
        })}
        if (column < ${k.columns}) {
          ${sink.use(code`row * ${k.columns} + column`, code`sum`)}
        }
      }
      ${biasSink && sumBias(biasSink, images, k)}`,
    };
  },
);

const sumBias = (
  sink: GradientSink,
  images: number,
  { columns }: ConstantCode<typeof CONSTANTS>,
): Code => code`
  if (${plane} == 0u && column < ${columns}) {
    let bias_sum = ${joined(locals("gradient", images), " + ")};
    ${sink.use(code`quad`, code`bias_sum`)}
  }`;
