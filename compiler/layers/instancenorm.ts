import { imageShape } from "../ir/shape.js";
import { boolean } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { lowerGroups, normalizationArguments, requireSeveral } from "./normalization.js";
import { requireImage } from "./rules.js";

export const instancenorm = defineLayer({
  name: "instancenorm",
  aliases: ["InstanceNorm2d", "InstanceNorm1d", "instance_norm"],
  summary: "instance normalization: each channel of each image to mean 0 and variance 1",
  documentation: `
\`y = (x - mean) / sqrt(variance + eps)\`, mean and (biased) variance over the pixels of each
channel of each example (Ulyanov et al., arXiv:1607.08022). It does the same in training and
outside: PyTorch's \`InstanceNorm2d\` without running statistics, or \`groupnorm(C)\`. With
\`affine=true\`, parameters \`weight [C]\` (ones) and \`bias [C]\` (zeros) follow.
`,
  positional: [],
  arguments: {
    ...normalizationArguments,
    affine: withDefault(boolean(), false, "whether a weight and a bias per channel follow"),
  },
  samples: [
    { spec: "instancenorm", input: [6, 5, 7], output: [6, 5, 7] },
    { spec: "instancenorm(affine=true)", input: [5, 4, 4], output: [5, 4, 4] },
  ],

  infer(input, _, context) {
    const image = requireImage(input, context);
    if (image) requireSeveral(image.height * image.width, input, context);
    return image && input;
  },

  lower(input, values, context) {
    const groups = imageShape(input.shape).channels;
    return lowerGroups(input, { groups, pixels: "together" }, values, context);
  },
});
