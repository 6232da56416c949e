import { unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const relu = defineActivation({
  name: "relu",
  aliases: ["ReLU", "Relu", "rectifier"],
  summary: "rectified linear unit",
  documentation: `
\`y = max(x, 0)\`, element by element. Input and output have the same shape.
`,
  range: [0, Infinity],
  positional: [],
  arguments: {},
  samples: [
    { spec: "relu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "relu", input: [10], output: [10] },
  ],

  expression: (x) => unary("relu", x),
});
