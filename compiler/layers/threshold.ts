import { add, constant } from "../ir/expression.js";
import { choose, isGreater, nanOf } from "../ir/expression-choice.js";
import { float } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const threshold = defineActivation({
  name: "threshold",
  aliases: ["Threshold"],
  summary: "values up to a bound become a constant",
  documentation: `
\`y = x\` where \`x > threshold\`, else \`value\` (PyTorch's \`Threshold\`). Element by element;
input and output have the same shape. \`threshold(0, 0)\` is \`relu\`.
`,
  positional: ["threshold", "value"],
  arguments: {
    threshold: required(float(), "the largest x that is replaced"),
    value: required(float(), "what replaces it"),
  },
  samples: [{ spec: "threshold(0.1, -2)", input: [3, 4, 4], output: [3, 4, 4] }],

  expression: (x, { threshold: limit, value }) =>
    add(choose(isGreater(x, constant(limit)), x, constant(value)), nanOf(x)),
});
