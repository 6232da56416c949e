/**
 * What an adapter can do at most, as kernels: multiply-adds without memory, and memory without
 * multiply-adds.
 */
import { assemble, type Kernel } from "./kernel.js";
import { wgsl } from "./wgsl.js";

export const CEILING_WORKGROUP = 64;

/** Multiply-adds of a vec4 that each lane makes, whatever its number of accumulators. */
export const LANE_MULTIPLY_ADDS = 16384;

/** Multiply-adds of a vec4 in a turn of the loop, so that the loop itself costs little. */
const TURN = 64;

/**
 * Multiply-adds through a block of vec4 accumulators that do not wait for each other. How many are
 * best depends on the adapter's registers and on how long a result takes.
 */
export function multiplyAdds(accumulators: number): Kernel {
  const names = Array.from({ length: accumulators }, (_, index) => `c${index}`);
  const repeats = Array.from({ length: TURN / accumulators }, () => names).flat();
  return assemble({
    name: `multiply_adds_${accumulators}`,
    summary: `The ceiling of multiply-adds: ${accumulators} accumulators of a vec4.`,
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "y", access: "read_write", element: "vec4f" },
    ],
    constants: [],
    workgroupSize: CEILING_WORKGROUP,
    body: wgsl`
      // Both come from memory, so that no compiler knows them.
      let factor = a[0] + vec4f(1.0);
      let addend = a[1];
      ${names.map((name, index) => `var ${name} = vec4f(f32(lane + ${index}u));`)}
      for (var turn = 0u; turn < ${LANE_MULTIPLY_ADDS / TURN}u; turn++) {
        ${repeats.map((name) => `${name} = fma(${name}, factor, addend);`)}
      }
      y[block * ${CEILING_WORKGROUP}u + lane] = ${names.join(" + ")};`,
  });
}

/**
 * How vec4 go through a lane: from one buffer to another, from a buffer into a sum, or changed
 * where they are.
 */
export type Passage = "copy" | "read" | "change";

/** vec4 that a lane handles, a workgroup's width apart. */
export const LANE_QUADS = 8;

const PASSAGES: Readonly<Record<Passage, { readonly each: string; readonly end: string }>> = {
  copy: { each: "y[index] = a[index];", end: "" },
  read: { each: "sum += a[index];", end: "y[block * 64u + lane] = sum;" },
  change: { each: "y[index] = fma(y[index], vec4f(0.5), vec4f(1.0));", end: "" },
};

/** The buffers that a passage binds. */
export const passageBinds = (passage: Passage): readonly ("a" | "y")[] =>
  passage === "change" ? ["y"] : ["a", "y"];

export function passQuads(passage: Passage): Kernel {
  const { each, end } = PASSAGES[passage];
  return assemble({
    name: passage,
    summary: `The ceiling of memory: ${passage} vec4.`,
    storage: passageBinds(passage).map((name) => ({
      ...{ name, element: "vec4f" },
      access: name === "a" ? "read" : "read_write",
    })),
    constants: [],
    workgroupSize: CEILING_WORKGROUP,
    body: wgsl`
      ${passage === "read" ? "var sum = vec4f();" : ""}
      for (var turn = 0u; turn < ${LANE_QUADS}u; turn++) {
        let index = (block * ${LANE_QUADS}u + turn) * ${CEILING_WORKGROUP}u + lane;
        ${each}
      }
      ${end}`,
  });
}
