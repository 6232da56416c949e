import { multiply } from "../ir/expression.js";
import { hardSigmoidOf } from "./hard.js";
import { defineActivation } from "./activation.js";

export const hardswish = defineActivation({
  name: "hardswish",
  aliases: ["Hardswish", "HardSwish", "hard_swish", "hard_silu"],
  summary: "x times the hard sigmoid of x",
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

  expression: (x) => multiply(x, hardSigmoidOf(x)),
});
