import { add, constant, multiply, unary, type Expression } from "../ir/expression.js";
import { choice } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const gelu = defineActivation({
  name: "gelu",
  aliases: ["GELU", "Gelu"],
  summary: "x times the standard normal CDF",
  documentation: `
\`y = x * (1 + erf(x / sqrt(2))) / 2\` (Hendrycks and Gimpel, arXiv:1606.08415); with
\`approximate=tanh\`, PyTorch's \`0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))\`.
Element by element; input and output have the same shape.
`,
  positional: [],
  arguments: {
    approximate: withDefault(choice(["none", "tanh"]), "none", "which formula: none is exact"),
  },
  samples: [
    { spec: "gelu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "gelu", input: [10], output: [10] },
    { spec: "gelu(approximate=tanh)", input: [10], output: [10] },
  ],

  expression(x, { approximate }) {
    // (1 + tanh(x)) / 2 is sigmoid(2 x), which keeps its digits far below 0.
    const share =
      approximate === "tanh"
        ? unary("sigmoid", multiply(constant(2), cubic(x)))
        : unary("normal", x);
    return multiply(x, share);
  },
});

/** `sqrt(2 / pi) * (x + 0.044715 * x^3)`. */
function cubic(x: Expression): Expression {
  const cube = multiply(multiply(x, x), x);
  return multiply(constant(Math.sqrt(2 / Math.PI)), add(x, multiply(constant(0.044715), cube)));
}
