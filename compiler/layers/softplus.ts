import { constant, multiply, unary } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const softplus = defineActivation({
  name: "softplus",
  aliases: ["Softplus", "SoftPlus"],
  summary: "smooth rectified linear unit",
  documentation: `
\`y = log(1 + exp(beta * x)) / beta\`, computed without overflow. Element by element; input
and output have the same shape.
`,
  range: [0, Infinity],
  positional: ["beta"],
  arguments: {
    beta: withDefault(float({ above: 0 }), 1, "how sharp the bend at zero is"),
  },
  samples: [
    { spec: "softplus", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "softplus", input: [10], output: [10] },
    { spec: "softplus(2)", input: [10], output: [10] },
  ],

  expression: (x, { beta }) =>
    multiply(constant(1 / beta), unary("softplus", multiply(constant(beta), x))),
});
