/**
 * What an adapter can do at most, as kernels: multiply-adds without memory, and memory without
 * multiply-adds.
 */
import { read, written, type Loaded, type Stored } from "./bindings.js";
import { block, code, joined, lane, locals, offset, times, type Code } from "./code.js";
import { defineKernel } from "./define-kernel.js";

export const CEILING_LANES = 64;

/** Multiply-adds of a vec4 that each lane makes, whatever its number of accumulators. */
export const LANE_MULTIPLY_ADDS = 16384;

/** Multiply-adds of a vec4 in a turn of the loop, so that the loop itself costs little. */
const TURN = 64;

/**
 * Multiply-adds through a block of vec4 accumulators that do not wait for each other. How many are
 * best depends on the adapter's registers and on how long a result takes.
 */
export const multiplyAdds = defineKernel("multiply_adds", (accumulators: number) => {
  const names = locals("sum", accumulators);
  const repeats = times(TURN / accumulators, () => names).flat();
  return {
    suffix: `_${accumulators}`,
    summary: `The ceiling of multiply-adds: ${accumulators} accumulators of a vec4.`,
    bindings: { source: read("vec4f"), result: written("vec4f") },
    constants: {},
    lanes: CEILING_LANES,
    body: ({ io }) => code`
      // Both come from memory, so that no compiler knows them.
      let factor = ${io.source.load(0)} + vec4f(1.0);
      let addend = ${io.source.load(1)};
      ${names.map((name, index) => code`var ${name} = vec4f(f32(${offset(lane, index)}));`)}
      for (var turn = 0u; turn < ${LANE_MULTIPLY_ADDS / TURN}; turn++) {
        ${repeats.map((name) => code`${name} = fma(${name}, factor, addend);`)}
      }
      ${io.result.store(code`${block} * ${CEILING_LANES} + ${lane}`, joined(names, " + "))}`,
  };
});

/**
 * How vec4 go through a lane: from one buffer to another, from a buffer into a sum, or changed
 * where they are.
 */
export type Passage = "copy" | "read" | "change";

/** vec4 that a lane handles, a workgroup's width apart. */
export const LANE_QUADS = 8;

interface Ends {
  readonly source: Loaded;
  readonly result: Stored;
}

const INDEX = code`index`;
const OWN_PLACE = code`${block} * ${CEILING_LANES} + ${lane}`;

/** What is done with the vec4 at `index`. */
const PASSAGES: Readonly<Record<Passage, (ends: Ends) => Code>> = {
  copy: ({ source, result }) => result.store(INDEX, source.load(INDEX)),
  read: ({ source }) => code`sum += ${source.load(INDEX)};`,
  change: ({ result }) =>
    result.store(INDEX, code`fma(${result.load(INDEX)}, vec4f(0.5), vec4f(1.0))`),
};

/** The buffers that a passage binds. */
export const passageBinds = (passage: Passage): readonly ("source" | "result")[] =>
  passage === "change" ? ["result"] : ["source", "result"];

export const passQuads = defineKernel("pass", (passage: Passage) => ({
  suffix: `_${passage}`,
  summary: `The ceiling of memory: ${passage} vec4.`,
  bindings: {
    source: passageBinds(passage).includes("source") ? read("vec4f") : undefined,
    result: written("vec4f"),
  },
  constants: {},
  lanes: CEILING_LANES,
  body: ({ io }) => code`
    ${passage === "read" && code`var sum = vec4f();`}
    for (var turn = 0u; turn < ${LANE_QUADS}; turn++) {
      let index = (${block} * ${LANE_QUADS} + turn) * ${CEILING_LANES} + ${lane};
      ${PASSAGES[passage](io)}
    }
    ${passage === "read" && io.result.store(OWN_PLACE, code`sum`)}`,
}));
