import { read } from "./bindings.js";
import { code, frame } from "./code.js";
import { defineQuads, sizes } from "./quads.js";

/** An expression over activations of one shape, and vectors by channel. Operand 0 is the input. */
export const pointwise = defineQuads("pointwise", () => ({
  summary: "Pointwise: one expression for each element.",
  bindings: { input: read("vec4f") },
  constants: { input: "place" },
  inputs: ["input"],
  value: ({ io }) => code`let value = ${io.input.load(code`input_place + quad`)};`,
}));

/** Sums of parts that a contraction left as [splits][pixel][quad], in a fixed order. */
export const sumPartials = defineQuads("sum_partials", () => ({
  summary: "Sums of parts of a contraction, in a fixed order.",
  bindings: { partials: read("vec4f") },
  constants: { splits: "u32" },
  value: ({ io, k }) => code`
    let rows = ${frame.batch} * ${sizes.pixels};
    var value = vec4f(0);
    for (var split = 0u; split < ${k.splits}; split++) {
      value += ${io.partials.load(code`(split * rows + pixel) * ${sizes.quads} + quad`)};
    }`,
}));
