import {
  add,
  binary,
  constant,
  multiply,
  operand,
  unary,
  type Expression,
} from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";

export const softplus = defineLayer({
  name: "softplus",
  aliases: ["Softplus", "SoftPlus"],
  summary: "smooth rectified linear unit",
  documentation: `
\`y = log(1 + exp(beta * x)) / beta\`, computed so that nothing overflows. Element by element; input and output have the same shape.
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

  infer: (input) => input,

  lower(input, { beta }, { builder, origin }) {
    const expression = softplusOf(operand(0), beta);
    return builder.add("pointwise", [input], { expression }, origin);
  },
});

/** `log(1 + exp(beta * x)) / beta`, the exponent never above 0. */
export function softplusOf(x: Expression, beta: number): Expression {
  const magnitude = binary("maximum", x, unary("negate", x));
  const decayed = unary("exp", multiply(constant(-beta), magnitude));
  const bend = unary("log", add(constant(1), decayed));
  return add(unary("relu", x), multiply(constant(1 / beta), bend));
}
