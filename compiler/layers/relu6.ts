import { binary, constant, operand, unary } from "../ir/expression.js";
import { defineLayer } from "./layer.js";

export const relu6 = defineLayer({
  name: "relu6",
  aliases: ["ReLU6", "Relu6"],
  summary: "rectified linear unit that ends at 6",
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

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const expression = binary("minimum", unary("relu", operand(0)), constant(6));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
