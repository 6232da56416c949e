import { BATCH } from "../ir/shape.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

export const globalAvgpool = defineLayer({
  name: "global_avgpool",
  aliases: [
    ...["GlobalAvgPool2d", "global_average_pooling", "gap"],
    {
      name: "GlobalAveragePooling2D",
      differs: "Keras gives [N, channels], netc [N, channels, 1, 1]: `flatten` follows it",
    },
  ],
  summary: "the mean of each channel over the whole image",
  documentation: `
The mean over all rows and columns (Lin, Chen and Yan, "Network in network", arXiv:1312.4400): what
\`adaptive_avgpool(1)\` does.

- input \`[N, C, H, W]\`, output \`[N, C, 1, 1]\`; \`flatten\` makes \`[N, C]\` of it
`,
  positional: [],
  arguments: {},
  samples: [{ spec: "global_avgpool", input: [512, 7, 7], output: [512, 1, 1] }],

  infer(input, _, context) {
    const image = requireImage(input, context);
    return image && [BATCH, image.channels, 1, 1];
  },

  lower(input, _, { builder, origin }) {
    const attributes = { windows: "adaptive", outputSize: [1, 1] } as const;
    return builder.add("averagePool", [input], attributes, origin);
  },
});
