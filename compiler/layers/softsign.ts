import { add, binary, constant } from "../ir/expression.js";
import { defineActivation } from "./activation.js";
import { magnitude } from "./formula-functions.js";

export const softsign = defineActivation({
  name: "softsign",
  aliases: ["Softsign", "SoftSign"],
  summary: "x divided by 1 plus its magnitude",
  documentation: `
\`y = x / (1 + |x|)\`. Element by element; input and output have the same shape.
`,
  range: [-1, 1],
  positional: [],
  arguments: {},
  samples: [{ spec: "softsign", input: [3, 4, 4], output: [3, 4, 4] }],

  expression: (x) => binary("divide", x, add(constant(1), magnitude(x))),
});
