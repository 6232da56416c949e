import { read, written } from "./bindings.js";
import { code, startThread } from "./code.js";
import { defineKernel } from "./define-kernel.js";

const LANES = 64;

/** Two gradients of a piece of a parameter, added up. Padding is zero in all of them. */
export const sumGradients = defineKernel("sum_gradients", () => {
  const at = code`at`;
  return {
    summary: "The sum of the gradients of two layers that share weights.",
    bindings: { first: read("vec4f"), second: read("vec4f"), result: written("vec4f") },
    constants: { quads: "u32" },
    lanes: LANES,
    body: ({ io, k }) => code`
      ${startThread(LANES, "at")}
      if (at < ${k.quads}) {
        ${io.result.store(at, code`${io.first.load(at)} + ${io.second.load(at)}`)}
      }`,
  };
});
