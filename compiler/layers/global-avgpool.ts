import { BATCH, imageShape, isSequence } from "../ir/shape.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";
import { imageOfTokens } from "./token-order.js";

export const globalAvgpool = defineLayer({
  name: "global_avgpool",
  aliases: [
    ...["GlobalAvgPool2d", "global_average_pooling", "gap"],
    {
      name: "GlobalAveragePooling2D",
      differs: "Keras gives [N, channels], netc [N, channels, 1, 1]: `flatten` follows it",
    },
  ],
  summary: "global average pooling: the mean of each channel over the image",
  documentation: `
The mean over all rows and columns (Lin, Chen and Yan, "Network in network", arXiv:1312.4400), the
same as \`adaptive_avgpool(1)\`.

- input \`[N, C, H, W]\`, output \`[N, C, 1, 1]\`; \`flatten\` makes it \`[N, C]\`
- a sequence \`[N, T, C]\` gives the mean of its tokens, \`[N, C]\`: PyTorch's \`x.mean(1)\`
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "global_avgpool", input: [512, 7, 7], output: [512, 1, 1] },
    { spec: "global_avgpool", input: [6, 8], output: [8] },
  ],

  infer(input, _, context) {
    if (isSequence(input)) return [BATCH, imageShape(input).channels];
    const image = requireImage(input, context);
    return image && [BATCH, image.channels, 1, 1];
  },

  lower(input, _, { builder, origin }) {
    const attributes = { windows: "adaptive", outputSize: [1, 1] } as const;
    if (!isSequence(input.shape)) return builder.add("averagePool", [input], attributes, origin);
    const image = imageOfTokens(builder, input, [1, Number(input.shape[1])], origin);
    const mean = builder.add("averagePool", [image], attributes, origin);
    const shape = [BATCH, imageShape(input.shape).channels] as const;
    return builder.add("reshape", [mean], { shape }, origin);
  },
});
