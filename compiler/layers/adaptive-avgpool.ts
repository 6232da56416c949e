import { BATCH } from "../ir/shape.js";
import { pair } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

export const adaptiveAvgpool = defineLayer({
  name: "adaptive_avgpool",
  aliases: ["AdaptiveAvgPool2d", "adaptive_avg_pool2d", "AdaptiveAvgPool1d", "adaptive_avg_pool1d"],
  summary: "average pooling to a given output size",
  documentation: `
Averages each channel over \`size\` windows that cover the image: window \`i\` of \`n\` holds the
rows from \`floor(i * H / n)\` up to, not including, \`ceil((i + 1) * H / n)\`, and the columns
alike (PyTorch's rule).

- input \`[N, C, H, W]\`, output \`[N, C, size, size]\`
- \`adaptive_avgpool(1)\` is global average pooling; if the input has that size already,
  nothing changes
`,
  positional: ["size"],
  arguments: {
    size: required(pair({ minimum: 1 }), "size of the output"),
  },
  samples: [
    { spec: "adaptive_avgpool(6)", input: [256, 7, 7], output: [256, 6, 6] },
    { spec: "adaptive_avgpool([1, 2])", input: [8, 5, 5], output: [8, 1, 2] },
  ],

  infer(input, { size }, context) {
    const image = requireImage(input, context);
    return image && [BATCH, image.channels, ...size];
  },

  lower(input, { size }, { builder, origin }) {
    return builder.add("averagePool", [input], { windows: "adaptive", outputSize: size }, origin);
  },
});
