import { each } from "../diagnostics/alias.js";
import { formatShape, imageShape, type Shape } from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { refuseSequence } from "./rules.js";
import { lowerGroups, normalizationArguments, requireSeveral } from "./normalization.js";

export const groupnorm = defineLayer({
  name: "groupnorm",
  aliases: [
    ...["GroupNorm", "group_norm", "gn"],
    ...each(["GroupNormalization", "group_normalization"], {
      defaults: { groups: "32", eps: "1e-3" },
    }),
  ],
  summary: "group normalization: mean 0 and variance 1 for groups of channels of each example",
  documentation: `
\`y = weight[c] * (x - mean) / sqrt(variance + eps) + bias[c]\`, mean and (biased) variance over the
channels of \`c\`'s group and all pixels of the example (Wu and He, 2018). Input and output have the
same shape, an image \`[N, C, H, W]\` or features \`[N, C]\`. Examples do not affect each
other, so it does the same in training and outside, at any batch.

- \`groups\` must divide the channels: \`groupnorm(1)\` normalizes the whole example,
  \`groupnorm(C)\` each channel separately (instance normalization)
- parameters \`weight [C]\` (ones) and \`bias [C]\` (zeros), unless \`affine=false\`
`,
  positional: ["groups"],
  arguments: {
    groups: required(integer({ minimum: 1 }), "parts into which the channels are cut"),
    ...normalizationArguments,
  },
  samples: [
    { spec: "groupnorm(8)", input: [32, 7, 7], output: [32, 7, 7] },
    { spec: "groupnorm(2, eps=1e-3)", input: [6, 3, 5], output: [6, 3, 5] },
    { spec: "groupnorm(3, affine=false)", input: [12], output: [12] },
  ],

  infer(input, { groups }, context) {
    if (!refuseSequence(input, context)) return undefined;
    const { channels, height, width } = imageShape(input);
    if (channels % groups !== 0) reportGroups(groups, input, context);
    else requireSeveral((channels / groups) * height * width, input, context);
    return input;
  },

  lower: (input, values, context) =>
    lowerGroups(input, { groups: values.groups, pixels: "together" }, values, context),
});

function reportGroups(groups: number, input: Shape, context: InferenceContext): void {
  const { channels } = imageShape(input);
  const divisors = Array.from({ length: channels }, (_, index) => index + 1).filter(
    (divisor) => channels % divisor === 0,
  );
  const nearest = divisors.findLast((divisor) => divisor < groups)!;
  const fits = divisors.length > MOST_LISTED ? "" : `: ${divisors.join(", ")}`;
  context.report("NET2040", {
    message:
      `${context.title}: ` +
      `groups=${groups} does not divide the ${channels} channels of ${formatShape(input)}`,
    at: "groups",
    label: `${channels} / ${groups} leaves ${channels % groups} over`,
    axis: "channels",
    notes: [`every group has as many channels, so groups must be a divisor of ${channels}${fits}`],
    fixes: [context.replaceArgument("groups", `groups=${nearest}`, `write \`groups=${nearest}\``)],
  });
}

/** Longer lists tell less. */
const MOST_LISTED = 12;
