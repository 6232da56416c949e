import { multiply, operand } from "../ir/expression.js";
import { hardSigmoidOf } from "./hard.js";
import { defineLayer } from "./layer.js";

export const hardswish = defineLayer({
  name: "hardswish",
  aliases: ["Hardswish", "HardSwish", "hard_swish", "hard_silu"],
  summary: "x times its hard sigmoid",
  documentation: `
\`y = x * min(max(x + 3, 0), 6) / 6\` (MobileNetV3, arXiv:1905.02244). Element by element; input and
output have the same shape.
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "hardswish", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "hardswish", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const expression = multiply(operand(0), hardSigmoidOf(operand(0)));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
