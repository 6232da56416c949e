import { unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const tanh = defineActivation({
  name: "tanh",
  aliases: ["Tanh", "TanH"],
  summary: "hyperbolic tangent",
  documentation: `
\`y = tanh(x)\`, element by element. Input and output have the same shape.
`,
  range: [-1, 1],
  positional: [],
  arguments: {},
  samples: [
    { spec: "tanh", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "tanh", input: [10], output: [10] },
  ],

  expression: (x) => unary("tanh", x),
});
