import { multiply, operand, unary } from "../ir/expression.js";
import { defineLayer } from "./layer.js";

export const mish = defineLayer({
  name: "mish",
  aliases: ["Mish"],
  summary: "x times the hyperbolic tangent of softplus",
  documentation: `
\`y = x * tanh(log(1 + exp(x)))\` (Misra, "Mish: a self regularized non-monotonic activation
function", arXiv:1908.08681). Element by element; input and output have the same shape.
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "mish", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "mish", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const expression = multiply(operand(0), unary("tanh", unary("softplus", operand(0))));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
