import { assemble, type Kernel } from "./kernel.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";
import { wgsl } from "./wgsl.js";

/** Workgroups that share the sum of a gradient's squares: enough to fill an adapter, few enough for one to add them up. */
export const SQUARES_BLOCKS = 64;

/** Sums of squares of every 64th part of a gradient. Padding is zero. blocks: [SQUARES_BLOCKS]. */
export function squareSums(): Kernel {
  return assemble({
    name: "square_sums",
    summary: "Sums of squares of a gradient, a part each workgroup.",
    storage: [
      { name: "gradient", access: "read", element: "vec4f" },
      { name: "blocks", access: "read_write", element: "f32" },
    ],
    constants: ["quads"],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: wgsl`
      var sum = 0f;
      for (var at = block * ${REDUCE_WORKGROUP}u + lane; at < constants.quads; at += ${SQUARES_BLOCKS * REDUCE_WORKGROUP}u) {
        sum += dot(gradient[at], gradient[at]);
      }
      sum = total(sum, lane);
      if (lane == 0u) {
        blocks[block] = sum;
      }`,
  });
}

/** The sum of a gradient's blocks and of what there was before: nothing, another sum, or the same. */
export function sumOfBlocks(before: "first" | "other" | "same"): Kernel {
  const earlier = { first: "0f", other: "before[0]", same: "result[0]" }[before];
  return assemble({
    name: `square_sum_${before}`,
    summary: "The sum of the squares of all gradients so far.",
    storage: [
      { name: "blocks", access: "read", element: "f32" },
      ...(before === "other" ? [{ name: "before", access: "read", element: "f32" } as const] : []),
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: [],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: wgsl`
      let sum = total(blocks[lane], lane);
      if (lane == 0u) {
        result[0] = ${earlier} + sum;
      }`,
  });
}
