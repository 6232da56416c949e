import { unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const logsigmoid = defineActivation({
  name: "logsigmoid",
  aliases: ["LogSigmoid", "log_sigmoid"],
  summary: "the logarithm of the sigmoid",
  documentation: `
\`y = log(1 / (1 + exp(-x)))\`, computed as \`-softplus(-x)\` so that nothing overflows. Element by
element; input and output have the same shape. \`bce_with_logits\` takes logits without it.
`,
  range: [-Infinity, 0],
  positional: [],
  arguments: {},
  samples: [{ spec: "logsigmoid", input: [3, 4, 4], output: [3, 4, 4] }],

  expression: (x) => unary("negate", unary("softplus", unary("negate", x))),
});
