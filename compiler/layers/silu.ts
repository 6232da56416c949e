import { multiply, unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const silu = defineActivation({
  name: "silu",
  aliases: ["SiLU", "swish", "Swish"],
  summary: "x times the sigmoid of x (swish)",
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

  expression: (x) => multiply(x, unary("sigmoid", x)),
});
