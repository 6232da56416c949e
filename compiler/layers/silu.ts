import { multiply, operand, unary } from "../ir/expression.js";
import { defineLayer } from "./layer.js";

export const silu = defineLayer({
  name: "silu",
  aliases: ["SiLU", "swish", "Swish"],
  summary: "x times its sigmoid",
  documentation: `
\`y = x * sigmoid(x)\`, also called swish (Ramachandran et al., arXiv:1710.05941). Element by
element; input and output have the same shape.
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "silu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "silu", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const expression = multiply(operand(0), unary("sigmoid", operand(0)));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
