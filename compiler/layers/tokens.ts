import { BATCH } from "../ir/shape.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";
import { tokensOfImage } from "./token-order.js";

export const tokens = defineLayer({
  name: "tokens",
  aliases: [],
  summary: "an image as a sequence: one token for each pixel",
  documentation: `
A token for each pixel, row by row, with the pixel's channels: PyTorch's
\`x.flatten(2).transpose(1, 2)\`. It copies nothing. \`transpose -> reshape([C, H, W])\` is
the inverse.

- input \`[N, C, H, W]\`, output \`[N, H*W, C]\`
`,
  positional: [],
  arguments: {},
  samples: [{ spec: "tokens", input: [768, 14, 14], output: [196, 768] }],

  infer(input, _, context) {
    const image = requireImage(input, context);
    return image && [BATCH, image.height * image.width, image.channels];
  },

  lower: (input, _, { builder, origin }) => tokensOfImage(builder, input, origin),
});
