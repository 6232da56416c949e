import { read } from "./bindings.js";
import {
  block,
  code,
  frame,
  joined,
  lane,
  local,
  locals,
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

const CONSTANTS = {
  features: "u32",
  columns: "u32",
  first_quad: "u32",
  a_image: "u32",
  b_image: "u32",
  b_base: "u32",
} as const;

/**
 * A fully connected layer's weight gradient, applied at once, for a few images: a loop over rows of
 * the weights (features), each read and written once, which is all the time it takes. Unrolled
 * rows, as the contraction has, would be waiting for memory as well and overflow the instruction
 * cache. a: the layer's input, scalars; b: output gradient; w and states: [features][columns].
 */
export const rankUpdate = defineKernel(
  "rank",
  ({ schedule, use, bias }: WeightVariant<Descent>) => {
    const sink = gradientSink(use);
    const biasSink = bias && gradientSink(bias, "bias");
    const { rowLanes, loads, columns } = schedule;
    const images = rowLanes * loads;
    const x = locals("x", loads);
    return {
      suffix: `${bias ? "_bias" : ""}${sink.suffix}_${images}x${4 * columns}`,
      summary: "Weight gradient of a few images, applied row by row.",
      bindings: { a: read("f32"), b: read("vec4f") },
      constants: CONSTANTS,
      fragments: [sink, biasSink],
      lanes: columns,
      body: ({ io, k }) => code`
      let column = ${block} * ${columns} + ${lane};
      let quad = ${k.first_quad} + min(column, ${k.columns} - 1u);
      let row_lane = ${subgroupLane} % ${rowLanes};
      let last_image = ${frame.batch} - 1u;
      ${x.map((_, load) => {
        const image = code`min(${offset(code`row_lane`, load * rowLanes)}, last_image)`;
        return code`let ${local("a_place", load)} = ${image} * ${k.a_image};`;
      })}
      ${times(images, (image) => {
        const at = code`${k.b_base} + min(${image}, last_image) * ${k.b_image} + quad`;
        const loaded = io.b.load(at);
        const value = code`select(vec4f(0), ${loaded}, ${image} <= last_image)`;
        return code`let ${local("d", image)} = ${value};`;
      })}
      let first = ${plane} * ${RANK_ROWS};
      let end = min(first + ${RANK_ROWS}, ${k.features});
      for (var row = first; row < end; row++) {
        ${x.map((name, load) => {
          return code`let ${name} = ${io.a.load(code`${local("a_place", load)} + row`)};`;
        })}
        var gradient = vec4f(0);
        ${times(images, (image) => {
          const from = x[Math.floor(image / rowLanes)]!;
          const value = code`subgroupBroadcast(${from}, ${image % rowLanes})`;
          return code`gradient = fma(vec4f(${value}), ${local("d", image)}, gradient);`;
        })}
        if (column < ${k.columns}) {
          ${sink.use(code`row * ${k.columns} + column`, code`gradient`)}
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
    let bias_sum = ${joined(locals("d", images), " + ")};
    ${sink.use(code`quad`, code`bias_sum`)}
  }`;
