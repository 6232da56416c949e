import { addValues, spreadAll } from "./joins.js";
import { defineLayer } from "./layer.js";
import { joinedShape } from "./rules.js";

export const add = defineLayer({
  name: "add",
  aliases: [
    ...["Add", "plus", "residual_add"],
    { name: "Eltwise", differs: "`Eltwise` of Caffe is a sum, a product or a maximum" },
  ],
  summary: "sum with another value",
  documentation: `
\`y = x + other\`, element by element: \`add(shortcut)\` adds the value that \`as shortcut\` named
earlier. Both values and the result have the same shape. One of them may be \`[N, C, 1, 1]\`: its
numbers are added to all pixels of their channels. \`residual { ... }\` writes the
common case without names.
`,
  takesWide: true,
  positional: [],
  arguments: {},
  others: "one",
  samples: [
    { spec: "add(other)", input: [3, 4, 4], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "add(other)", input: [3, 4, 4], others: [[3, 1, 1]], output: [3, 4, 4] },
    { spec: "add(other)", input: [3, 1, 1], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "add(other)", input: [10], others: [[10]], output: [10] },
  ],

  infer(input, _, context) {
    const [other] = context.others;
    return other ? joinedShape(input, other, context) : input;
  },

  lower: (input, _, context) =>
    addValues(context.builder, spreadAll(input, context), context.origin),
});
