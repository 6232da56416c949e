import { SQUARES_BLOCKS } from "../schedules/reductions.js";
import { read, written } from "./bindings.js";
import { block, code, lane } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";

/** Sums of squares of every 64th part of a gradient. Padding is zero. blocks: [SQUARES_BLOCKS]. */
export const squareSums = defineKernel("square_sums", () => ({
  summary: "Sums of squares of a gradient, a part each workgroup.",
  bindings: { gradient: read("vec4f"), blocks: written("f32") },
  constants: { quads: "u32" },
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const value = io.gradient.load(code`at`);
    const first = code`${block} * ${REDUCE_WORKGROUP} + ${lane}`;
    return code`
      var sum = 0f;
      for (var at = ${first}; at < ${k.quads}; at += ${SQUARES_BLOCKS * REDUCE_WORKGROUP}) {
        sum += dot(${value}, ${value});
      }
      sum = ${SUM}(sum, ${lane});
      if (${lane} == 0u) {
        ${io.blocks.store(block, code`sum`)}
      }`;
  },
}));

/** What there was before a sum of squares: nothing, another sum, or the same. */
export type EarlierSum = "first" | "other" | "same";

/** The sum of a gradient's blocks and of what there was before. */
export const sumOfBlocks = defineKernel("square_sum", (earlier: EarlierSum) => ({
  suffix: `_${earlier}`,
  summary: "The sum of the squares of all gradients so far.",
  bindings: {
    blocks: read("f32"),
    before: earlier === "other" ? read("f32") : undefined,
    result: written("f32"),
  },
  constants: {},
  lanes: REDUCE_WORKGROUP,
  body: ({ io }) => {
    const before = earlier === "same" ? io.result.load(0) : (io.before?.load(0) ?? code`0f`);
    return code`
      let sum = ${SUM}(${io.blocks.load(lane)}, ${lane});
      if (${lane} == 0u) {
        ${io.result.store(0, code`${before} + sum`)}
      }`;
  },
}));
