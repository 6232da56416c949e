import { constant, subtract, unary } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const softshrink = defineActivation({
  name: "softshrink",
  aliases: ["Softshrink", "soft_shrink"],
  summary: "values moved towards 0 by a constant, small ones to 0",
  documentation: `
\`y = x - lambd\` for \`x > lambd\`, \`x + lambd\` for \`x < -lambd\`, else 0: soft thresholding.
Element by element; input and output have the same shape.
`,
  positional: ["lambd"],
  arguments: {
    lambd: withDefault(float({ minimum: 0 }), 0.5, "how far values move towards 0"),
  },
  samples: [{ spec: "softshrink(0.3)", input: [3, 4, 4], output: [3, 4, 4] }],

  expression(x, { lambd }) {
    const above = unary("relu", subtract(x, constant(lambd)));
    const below = unary("relu", subtract(unary("negate", x), constant(lambd)));
    return subtract(above, below);
  },
});
