import { sameShape } from "../ir/shape.js";
import { multiplyValues } from "./joins.js";
import { defineLayer } from "./layer.js";
import { reportShapes } from "./rules.js";

export const multiply = defineLayer({
  name: "multiply",
  aliases: ["Multiply", "mul", "times", "gate"],
  summary: "product with another value",
  documentation: `
\`y = x * other\`, element by element: \`multiply(gate)\` multiplies with the value that an \`as gate\` further up has named. Both have
the same shape, and so has the result.
`,
  positional: [],
  arguments: {},
  others: "one",
  samples: [
    { spec: "multiply(other)", input: [3, 4, 4], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "multiply(other)", input: [10], others: [[10]], output: [10] },
  ],

  infer(input, _, context) {
    const [other] = context.others;
    if (other && !sameShape(input, other)) return reportShapes(input, other, context);
    return input;
  },

  lower: (input, _, { builder, origin, others }) =>
    multiplyValues(builder, [input, others[0]!], origin),
});
