import { operand, subtract } from "../ir/expression.js";
import { defineLayer } from "./layer.js";
import { spreadValue } from "./joins.js";

export const logSoftmax = defineLayer({
  name: "log_softmax",
  aliases: ["LogSoftmax"],
  summary: "logarithms of probabilities that sum to 1",
  documentation: `
\`y[c] = x[c] - log(sum exp(x[d]))\` over the channels \`d\`, without overflow. Input and output
have the same shape. The channels of a sequence \`[N, T, C]\` are its last axis.

\`cross_entropy\` applies it already: a network that is trained with it ends in \`linear\`, without
\`log_softmax\`.
`,
  range: [-Infinity, 0],
  takesWide: "last axis",
  positional: [],
  arguments: {},
  samples: [
    { spec: "log_softmax", input: [10], output: [10] },
    { spec: "log_softmax", input: [3, 2, 2], output: [3, 2, 2] },
    { spec: "log_softmax", input: [4, 6], output: [4, 6] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    const total = builder.add("reduce", [input], { by: "logsumexp", axes: ["channels"] }, origin);
    const totals = spreadValue(builder, total, input.shape, origin);
    const expression = subtract(operand(0), operand(1));
    return builder.add("pointwise", [input, totals], { expression }, origin);
  },
});
