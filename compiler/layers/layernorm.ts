import { each } from "../diagnostics/alias.js";
import { imageShape } from "../ir/shape.js";
import { defineLayer } from "./layer.js";
import { lowerGroups, normalizationArguments, requireSeveral } from "./normalization.js";

export const layernorm = defineLayer({
  name: "layernorm",
  aliases: [
    ...["LayerNorm", "LayerNorm2d", "layer_norm", "ln"],
    ...each(["LayerNormalization", "layer_normalization"], { defaults: { eps: "1e-3" } }),
  ],
  summary: "layer normalization: mean 0 and variance 1 over the channels of each pixel",
  documentation: `
\`y = weight[c] * (x - mean) / sqrt(variance + eps) + bias[c]\`, mean and (biased) variance over the
channels (Ba, Kiros and Hinton, 2016). Input and output have the same shape.

- features \`[N, C]\`: over all features of an example, PyTorch's \`LayerNorm(C)\`
- a sequence \`[N, T, C]\`: over the channels of each token, PyTorch's \`LayerNorm(C)\`
- an image \`[N, C, H, W]\`: over the channels of each pixel, as in ConvNeXt
  (torchvision's \`LayerNorm2d\`, Keras's default). To normalize over
  channels, rows and columns together, use \`groupnorm(1)\`, which has one weight per channel.
  PyTorch's \`LayerNorm([C, H, W])\`, with one weight per element, is not available.
- parameters \`weight [C]\` (ones) and \`bias [C]\` (zeros), unless \`affine=false\`
`,
  takesWide: "last axis",
  positional: [],
  arguments: normalizationArguments,
  samples: [
    { spec: "layernorm", input: [96, 8, 8], output: [96, 8, 8] },
    { spec: "layernorm(eps=1e-6)", input: [10], output: [10] },
    { spec: "layernorm", input: [5, 8], output: [5, 8] },
    { spec: "layernorm(affine=false)", input: [5, 2, 3], output: [5, 2, 3] },
  ],

  infer(input, _, context) {
    requireSeveral(imageShape(input).channels, input, context);
    return input;
  },

  lower: (input, values, context) =>
    lowerGroups(input, { groups: 1, pixels: "apart" }, values, context),
});
