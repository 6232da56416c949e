import { add, binary, constant, multiply, operand, unary } from "../ir/expression.js";
import { float } from "../semantics/argument-types.js";
import { withDefault } from "../semantics/signature.js";
import { defineLayer } from "./layer.js";

export const softplus = defineLayer({
  name: "softplus",
  aliases: ["Softplus", "SoftPlus"],
  summary: "smooth rectified linear unit",
  documentation: `
\`y = log(1 + exp(beta * x)) / beta\`, computed so that nothing overflows. Element by element; input and output have the same shape.
`,
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
    const x = operand(0);
    const magnitude = binary("maximum", x, unary("negate", x));
    const decayed = unary("exp", multiply(constant(-beta), magnitude));
    const bend = unary("log", add(constant(1), decayed));
    const expression = add(unary("relu", x), multiply(constant(1 / beta), bend));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
