import { sameShape } from "../ir/shape.js";
import { addValues } from "./joins.js";
import { defineLayer } from "./layer.js";
import { reportShapes } from "./rules.js";

export const add = defineLayer({
  name: "add",
  aliases: ["Add", "Eltwise", "sum", "plus", "residual_add"],
  summary: "sum with another value",
  documentation: `
\`y = x + other\`, element by element: \`add(shortcut)\` adds the value that an \`as shortcut\` further up has named. Both have the
same shape, and so has the result. \`residual { ... }\` writes the common case without names.
`,
  positional: [],
  arguments: {},
  others: "one",
  samples: [
    { spec: "add(other)", input: [3, 4, 4], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "add(other)", input: [10], others: [[10]], output: [10] },
  ],

  infer(input, _, context) {
    const [other] = context.others;
    if (other && !sameShape(input, other)) return reportShapes(input, other, context);
    return input;
  },

  lower: (input, _, { builder, origin, others }) => addValues(builder, [input, others[0]!], origin),
});
