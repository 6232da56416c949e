import { constant, multiply, unary } from "../ir/expression.js";
import { choose, isGreater } from "../ir/expression-choice.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

/** From here on the bend is smaller than a 32-bit number can show. */
const EXACT = 20;

export const softplus = defineActivation({
  name: "softplus",
  aliases: ["Softplus", "SoftPlus"],
  summary: "smooth rectified linear unit",
  documentation: `
\`y = log(1 + exp(beta * x)) / beta\`, computed without overflow; \`y = x\` where \`beta * x\` is
larger than \`threshold\`. Element by element; input and output have the same shape.
`,
  range: [0, Infinity],
  positional: ["beta", "threshold"],
  arguments: {
    beta: withDefault(float({ above: 0 }), 1, "how sharp the bend at zero is"),
    threshold: withDefault(float(), EXACT, "from where on y is x"),
  },
  samples: [
    { spec: "softplus", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "softplus", input: [10], output: [10] },
    { spec: "softplus(2)", input: [10], output: [10] },
    { spec: "softplus(2, threshold=1)", input: [3, 4, 4], output: [3, 4, 4] },
  ],

  expression(x, { beta, threshold }) {
    const scaled = multiply(constant(beta), x);
    const bent = multiply(constant(1 / beta), unary("softplus", scaled));
    return threshold >= EXACT ? bent : choose(isGreater(scaled, constant(threshold)), x, bent);
  },
});
