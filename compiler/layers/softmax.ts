import { defineLayer } from "./layer.js";

export const softmax = defineLayer({
  name: "softmax",
  aliases: ["Softmax", "SoftMax"],
  summary: "probabilities that sum to 1",
  documentation: `
\`y[c] = exp(x[c]) / sum exp(x[d])\` over the channels \`d\`. Input and output have the
same shape. The channels of a sequence \`[N, T, C]\` are its last axis.

\`cross_entropy\` applies it already: a network that is trained with it ends in \`linear\`, without
\`softmax\`.
`,
  range: [0, 1],
  takesWide: "last axis",
  positional: [],
  arguments: {},
  samples: [
    { spec: "softmax", input: [10], output: [10] },
    { spec: "softmax", input: [3, 2, 2], output: [3, 2, 2] },
    { spec: "softmax", input: [3, 6], output: [3, 6] },
  ],

  infer: (input) => input,

  lower: (input, _, { builder, origin }) => builder.add("softmax", [input], {}, origin),
});
