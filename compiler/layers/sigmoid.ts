import { unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const sigmoid = defineActivation({
  name: "sigmoid",
  aliases: ["Sigmoid", "logistic", "Logistic"],
  summary: "logistic function",
  documentation: `
\`y = 1 / (1 + exp(-x))\`, element by element. Input and output have the same shape.
`,
  range: [0, 1],
  positional: [],
  arguments: {},
  samples: [
    { spec: "sigmoid", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "sigmoid", input: [10], output: [10] },
  ],

  expression: (x) => unary("sigmoid", x),
});
