import { multiplyValues, spreadAll } from "./joins.js";
import { defineLayer } from "./layer.js";
import { joinedShape } from "./rules.js";

export const multiply = defineLayer({
  name: "multiply",
  aliases: [
    ...["Multiply", "mul", "times"],
    { name: "gate", differs: "a gate is `... -> sigmoid -> multiply(x)`" },
  ],
  summary: "product with another value",
  documentation: `
\`y = x * other\`, element by element: \`multiply(gate)\` multiplies by the value that \`as gate\`
named earlier. Both values and the result have the same shape. One of them may be
\`[N, C, 1, 1]\`, a factor for each channel, as in squeeze-and-excitation (Hu et
al., arXiv:1709.01507):

\`\`\`net
conv(32, kernel=3) as x
global_avgpool -> conv(8, kernel=1) -> relu -> conv(32, kernel=1) -> sigmoid -> multiply(x)
\`\`\`
`,
  takesWide: true,
  positional: [],
  arguments: {},
  others: "one",
  samples: [
    { spec: "multiply(other)", input: [3, 4, 4], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "multiply(other)", input: [3, 4, 4], others: [[3, 1, 1]], output: [3, 4, 4] },
    { spec: "multiply(other)", input: [3, 1, 1], others: [[3, 4, 4]], output: [3, 4, 4] },
    { spec: "multiply(other)", input: [10], others: [[10]], output: [10] },
  ],

  infer(input, _, context) {
    const [other] = context.others;
    return other ? joinedShape(input, other, context) : input;
  },

  lower: (input, _, context) =>
    multiplyValues(context.builder, spreadAll(input, context), context.origin),
});
