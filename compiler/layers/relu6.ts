import { binary, constant, unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const relu6 = defineActivation({
  name: "relu6",
  aliases: ["ReLU6", "Relu6"],
  summary: "rectified linear unit, limited to 6",
  documentation: `
\`y = min(max(x, 0), 6)\` (MobileNet, arXiv:1801.04381). Element by element; input and output have
the same shape.
`,
  range: [0, 6],
  positional: [],
  arguments: {},
  samples: [
    { spec: "relu6", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "relu6", input: [10], output: [10] },
  ],

  expression: (x) => binary("minimum", unary("relu", x), constant(6)),
});
