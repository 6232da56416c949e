import { add, binary, constant, multiply, unary } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const celu = defineActivation({
  name: "celu",
  aliases: ["CELU"],
  summary: "continuously differentiable exponential linear unit",
  documentation: `
\`y = x\` for \`x > 0\`, else \`alpha * (exp(x / alpha) - 1)\` (Barron, arXiv:1704.07483). Element
by element; input and output have the same shape.
`,
  positional: ["alpha"],
  arguments: {
    alpha: withDefault(float({ above: 0 }), 1, "what the function tends to below zero, negated"),
  },
  samples: [{ spec: "celu(0.5)", input: [3, 4, 4], output: [3, 4, 4] }],

  expression(x, { alpha }) {
    const scaled = multiply(constant(1 / alpha), binary("minimum", constant(0), x));
    return add(unary("relu", x), multiply(constant(alpha), unary("expm1", scaled)));
  },
});
