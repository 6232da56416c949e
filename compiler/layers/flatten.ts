import { BATCH, elementCount } from "../ir/shape.js";
import { defineLayer } from "./layer.js";

export const flatten = defineLayer({
  name: "flatten",
  aliases: [
    "Flatten",
    { name: "view", differs: "`view` gives any shape, as `reshape` does; `flatten` makes a row" },
  ],
  summary: "reshapes an image to a vector of features",
  documentation: `
The elements are in the order channels, rows, columns, as in PyTorch.

- input \`[N, C, H, W]\`, output \`[N, C*H*W]\`; a sequence \`[N, T, C]\` gives \`[N, T*C]\`, and
  so do values of more axes; what is flat stays as it is
`,
  takesWide: true,
  positional: [],
  arguments: {},
  samples: [
    { spec: "flatten", input: [256, 6, 6], output: [9216] },
    { spec: "flatten", input: [10], output: [10] },
  ],

  infer: (input) => [BATCH, elementCount(input)],

  lower(input, _, { builder, origin }) {
    if (input.shape.length === 2) return input;
    return builder.add("reshape", [input], { shape: [BATCH, elementCount(input.shape)] }, origin);
  },
});
