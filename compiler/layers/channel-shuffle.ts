import { integer } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { formatShape, imageShape } from "../ir/shape.js";
import { reportDivisor } from "./divisors.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

export const channelShuffle = defineLayer({
  name: "channel_shuffle",
  aliases: ["ChannelShuffle"],
  summary: "the channels of several groups in turn",
  documentation: `
The first channel of each group, then the second of each, and so on (Zhang et al.,
arXiv:1707.01083): channel \`i * groups + j\` of the output is channel \`j * C / groups + i\` of the
input.

- input and output \`[N, C, H, W]\`; \`groups\` divides \`C\`
`,
  positional: ["groups"],
  arguments: {
    groups: required(integer({ minimum: 1 }), "parts of the channels that are mixed"),
  },
  samples: [{ spec: "channel_shuffle(2)", input: [6, 4, 4], output: [6, 4, 4] }],

  infer(input, { groups }, context) {
    const image = requireImage(input, context);
    if (!image || image.channels % groups === 0) return image && input;
    return reportDivisor(context, {
      message:
        `${context.title}: groups=${groups} does not divide ` +
        `the ${image.channels} channels of ${formatShape(input)}`,
      argument: "groups",
      given: groups,
      of: [image.channels],
      axis: "channels",
    });
  },

  lower(input, { groups }, { builder, origin }) {
    const { channels, height, width } = imageShape(input.shape);
    const pixels = height * width;
    const own = channels / groups;
    const order = {
      shape: input.shape,
      start: 0,
      sizes: [own, groups, pixels],
      strides: [pixels, own * pixels, 1],
    };
    return builder.add("rearrange", [input], order, origin);
  },
});
