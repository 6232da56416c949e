import { BATCH, imageShape, isSequence, isSignal, ROW, type Shape } from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { optional } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { imageOfTokens } from "./token-order.js";

export const signal = defineLayer({
  name: "signal",
  aliases: [],
  summary: "a sequence, features or an image of one row as a signal `[N, C, L]`",
  documentation: `
Makes a signal, channels first, for convolutions and pools along one axis. \`tokens\` is the inverse
for sequences.

- a sequence \`[N, T, C]\` gives \`[N, C, T]\`: PyTorch's \`x.transpose(1, 2)\`
- features \`[N, F]\` give \`[N, channels, F/channels]\`, one channel after the other; \`channels\`
  is 1 if left out: PyTorch's \`x.unflatten(1, (channels, -1))\`
- an image of one row, \`[N, C, 1, W]\`, gives \`[N, C, W]\`: PyTorch's \`x.squeeze(2)\`
`,
  positional: ["channels"],
  arguments: {
    channels: optional(integer({ minimum: 1 }), "of features: how many channels; 1 if left out"),
  },
  samples: [
    { spec: "signal", input: [12, 3], output: [3, 12] },
    { spec: "signal(4)", input: [20], output: [4, 5] },
  ],

  infer(input, { channels }, context) {
    if (channels !== undefined && input.length !== 2) return reportChannels(input, context);
    if (isSignal(input)) return input;
    const image = imageShape(input);
    if (input.length === 2) return ofFeatures(image.channels, channels ?? 1, context);
    if (image.height === 1) return [BATCH, image.channels, ROW, image.width];
    return context.report("NET2001", {
      message: `${context.title} needs an image of one row, but receives ${image.height} rows`,
      label: "which axis is the length?",
      axis: "space",
      notes: ["`reshape([C, 1, L])` makes one row, `tokens -> signal` puts all rows into one"],
    });
  },

  lower(input, { channels = 1 }, { builder, origin }) {
    if (isSequence(input.shape)) {
      return imageOfTokens(builder, input, [1, Number(input.shape[1])], origin);
    }
    if (input.shape.length !== 2) return input;
    const shape = [BATCH, channels, 1, Number(input.shape[1]) / channels] as const;
    return builder.add("reshape", [input], { shape }, origin);
  },
});

function ofFeatures(
  features: number,
  channels: number,
  context: InferenceContext,
): Shape | undefined {
  if (features % channels === 0) return [BATCH, channels, ROW, features / channels];
  return context.report("NET2033", {
    message: `${context.title}: ${channels} channels do not divide ${features} features`,
    at: "channels",
    axis: "channels",
  });
}

function reportChannels(input: Shape, context: InferenceContext): undefined {
  return context.report("NET1010", {
    message: `${context.title}: \`channels\` is for features, and the input has its channels`,
    at: "channels",
    label: `${imageShape(input).channels} channels`,
    fixes: [context.removeArgument("channels", "drop `channels`")],
  });
}
