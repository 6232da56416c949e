import { add, binary, constant, multiply, unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

const SCALE = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

export const selu = defineActivation({
  name: "selu",
  aliases: ["SELU"],
  summary: "scaled exponential linear unit",
  documentation: `
\`y = 1.0507 * x\` for \`x > 0\`, else \`1.0507 * 1.6733 * (exp(x) - 1)\`: the constants keep mean 0
and variance 1 from layer to layer (Klambauer et al., arXiv:1706.02515). Element by element; input
and output have the same shape.
`,
  positional: [],
  arguments: {},
  samples: [{ spec: "selu", input: [3, 4, 4], output: [3, 4, 4] }],

  expression(x) {
    const below = unary("expm1", binary("minimum", constant(0), x));
    return add(
      multiply(constant(SCALE), unary("relu", x)),
      multiply(constant(SCALE * ALPHA), below),
    );
  },
});
