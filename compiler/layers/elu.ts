import { add, binary, constant, multiply, unary } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const elu = defineActivation({
  name: "elu",
  aliases: ["ELU"],
  summary: "exponential linear unit",
  documentation: `
\`y = x\` for \`x > 0\`, else \`alpha * (exp(x) - 1)\` (Clevert et al., arXiv:1511.07289). Element
by element; input and output have the same shape.
`,
  positional: ["alpha"],
  arguments: {
    alpha: withDefault(float({ minimum: 0 }), 1, "what the function tends to below zero, negated"),
  },
  samples: [
    { spec: "elu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "elu", input: [10], output: [10] },
    { spec: "elu(0.5)", input: [10], output: [10] },
  ],

  expression(x, { alpha }) {
    // Only arguments up to 0 reach the exponential, so that it does not overflow. The slope at 0 is
    // that below it.
    const below = unary("expm1", binary("minimum", constant(0), x));
    return add(unary("relu", x), multiply(constant(alpha), below));
  },
});
