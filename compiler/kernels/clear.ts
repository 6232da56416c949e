import { written } from "./bindings.js";
import { code, frame, startThread } from "./code.js";
import { defineKernel } from "./define-kernel.js";

const LANES = 64;

/**
 * Zeros, a vec4 a thread: for a halo in a buffer that has held something else. A word is a number
 * as the buffer has them, of 32 or 16 bits.
 */
export const clear = defineKernel("clear", () => ({
  summary: "Zeros, where a halo is to come and something else was.",
  bindings: { result: written("vec4f") },
  constants: { fixed_words: "u32", image_words: "u32" },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES, "quad")}
    if (4u * quad < ${k.fixed_words} + ${k.image_words} * ${frame.batch}) {
      ${io.result.store(code`quad`, code`vec4f(0)`)}
    }`,
}));
