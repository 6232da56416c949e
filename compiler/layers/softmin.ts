import { operand, unary } from "../ir/expression.js";
import { defineLayer } from "./layer.js";

export const softmin = defineLayer({
  name: "softmin",
  aliases: ["Softmin"],
  summary: "probabilities that sum to 1, the smallest number the likeliest",
  documentation: `
\`y[c] = exp(-x[c]) / sum exp(-x[d])\` over the channels \`d\`: \`softmax\` of \`-x\`. Input and
output have the same shape. The channels of a sequence \`[N, T, C]\` are its last axis.
`,
  range: [0, 1],
  takesWide: "last axis",
  positional: [],
  arguments: {},
  samples: [
    { spec: "softmin", input: [10], output: [10] },
    { spec: "softmin", input: [3, 2, 2], output: [3, 2, 2] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const expression = unary("negate", operand(0));
    const negated = builder.add("pointwise", [input], { expression }, origin);
    return builder.add("softmax", [negated], {}, origin);
  },
});
