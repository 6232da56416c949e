import { multiply, unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const mish = defineActivation({
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

  expression: (x) => multiply(x, unary("tanh", unary("softplus", x))),
});
