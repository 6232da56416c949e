import { formatShape, imageShape, sameShape } from "../ir/shape.js";
import { concatenateValues } from "./joins.js";
import { defineLayer } from "./layer.js";

export const concat = defineLayer({
  name: "concat",
  aliases: ["Concat", "Concatenate", "cat", "concatenate"],
  summary: "channels of several values, one after the other",
  documentation: `
The channels of the current value and then those of the values named, in their order:
\`concat(a, b)\` of \`[N, 8, H, W]\`, \`[N, 4, H, W]\` and \`[N, 2, H, W]\` is \`[N, 14, H, W]\`.
Everything but the channels must agree. \`concat { branch { ... } ... }\` writes ways from one value
without names.
`,
  positional: [],
  arguments: {},
  others: "several",
  samples: [
    { spec: "concat(a)", input: [3, 4, 4], others: [[5, 4, 4]], output: [8, 4, 4] },
    {
      spec: "concat(a, b)",
      input: [8, 3, 3],
      others: [
        [4, 3, 3],
        [6, 3, 3],
      ],
      output: [18, 3, 3],
    },
    { spec: "concat(a)", input: [10], others: [[7]], output: [17] },
  ],

  infer(input, _, context) {
    const wrong = context.others.find(
      (other) => other.length !== input.length || !sameShape(other.slice(2), input.slice(2)),
    );
    if (wrong) {
      return context.report("NET2031", {
        message:
          `${context.title} joins ${formatShape(input)} and ${formatShape(wrong)}, ` +
          "which differ in more than their channels",
        axis: wrong.length === input.length ? "space" : "rank",
      });
    }
    const channels = [input, ...context.others].map((shape) => imageShape(shape).channels);
    return [input[0]!, channels.reduce((sum, count) => sum + count, 0), ...input.slice(2)];
  },

  lower: (input, _, { builder, origin, others }) =>
    concatenateValues(builder, [input, ...others], origin),
});
