import { BATCH } from "../ir/shape.js";
import { padding } from "../semantics/argument-types.js";
import { required } from "../semantics/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";
import { NO_DILATION, paddedSize } from "./windows.js";

export const pad = defineLayer({
  name: "pad",
  aliases: ["ZeroPad2d", "ZeroPadding2D", "zero_pad", "Pad", "padding"],
  summary: "zeros around an image",
  documentation: `
Adds rows and columns of zeros: \`pad(1)\` at every side, \`pad([1, 2])\` above and below, left and right, \`pad([0, 1, 0, 1])\` top, bottom, left and
right. A convolution behind it takes the zeros into its own padding, at no cost; \`padding\` of \`conv\` and of pools does the same.

- input \`[N, C, H, W]\`, output \`[N, C, H + top + bottom, W + left + right]\`
`,
  positional: ["size"],
  arguments: { size: required(padding(), "zeros around the image") },
  samples: [
    { spec: "pad(1)", input: [3, 8, 8], output: [3, 10, 10] },
    { spec: "pad([0, 1, 2, 0])", input: [3, 8, 8], output: [3, 9, 10] },
  ],

  infer(input, { size }, context) {
    const image = requireImage(input, context);
    const windows = { kernel: NO_DILATION, stride: NO_DILATION, dilation: NO_DILATION };
    return image && [BATCH, image.channels, ...paddedSize(image, { ...windows, padding: size })];
  },

  lower(input, { size }, { builder, origin }) {
    // The means of windows of one element, of which those in the padding are 0.
    const windows = { kernel: [1, 1], stride: [1, 1], padding: size } as const;
    const attributes = { windows: "sliding", countPadding: true, ...windows } as const;
    return builder.add("averagePool", [input], attributes, origin);
  },
});
