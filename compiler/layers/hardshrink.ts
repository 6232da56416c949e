import { add, constant, multiply } from "../ir/expression.js";
import { isGreater, nanOf } from "../ir/expression-choice.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";
import { magnitude } from "./formula-functions.js";

export const hardshrink = defineActivation({
  name: "hardshrink",
  aliases: ["Hardshrink", "hard_shrink"],
  summary: "small values become 0",
  documentation: `
\`y = x\` where \`|x| > lambd\`, else 0: hard thresholding. Element by element; input and output
have the same shape.
`,
  positional: ["lambd"],
  arguments: {
    lambd: withDefault(float({ minimum: 0 }), 0.5, "the largest magnitude that becomes 0"),
  },
  samples: [{ spec: "hardshrink(0.3)", input: [3, 4, 4], output: [3, 4, 4] }],

  expression: (x, { lambd }) =>
    add(multiply(isGreater(magnitude(x), constant(lambd)), x), nanOf(x)),
});
