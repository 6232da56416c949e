import { multiply, operand, unary } from "../ir/expression.js";
import { formatShape, imageShape, withChannels } from "../ir/shape.js";
import { channelsOf } from "./channel-parts.js";
import { defineLayer } from "./layer.js";

export const glu = defineLayer({
  name: "glu",
  aliases: ["GLU"],
  summary: "half of the channels times the sigmoid of the other half",
  documentation: `
\`y = a * sigmoid(b)\`, \`a\` being the first half of the channels and \`b\` the second (Dauphin
et al., arXiv:1612.08083).

- input \`[N, C, H, W]\`, \`[N, T, C]\` or \`[N, C]\`; output of \`C / 2\` channels
`,
  takesWide: "last axis",
  positional: [],
  arguments: {},
  samples: [
    { spec: "glu", input: [6, 4, 4], output: [3, 4, 4] },
    { spec: "glu", input: [5, 8], output: [5, 4] },
    { spec: "glu", input: [10], output: [5] },
  ],

  infer(input, _, context) {
    const { channels } = imageShape(input);
    if (channels % 2 === 0) return withChannels(input, channels / 2);
    return context.report("NET2036", {
      message: `${context.title} cuts the channels of ${formatShape(input)} into two halves`,
      label: `${channels} channels are odd`,
      axis: "channels",
    });
  },

  lower(input, _, { builder, origin }) {
    const half = imageShape(input.shape).channels / 2;
    const value = channelsOf(builder, input, { start: 0, count: half }, origin);
    const gate = channelsOf(builder, input, { start: half, count: half }, origin);
    const expression = multiply(operand(0), unary("sigmoid", operand(1)));
    return builder.add("pointwise", [value, gate], { expression }, origin);
  },
});
