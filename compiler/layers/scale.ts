import { add, channel, multiply, operand } from "../ir/expression.js";
import { imageShape } from "../ir/shape.js";
import type { Initializer } from "../../program/program.js";
import { defineLayer } from "./layer.js";
import { addBias, addWeight, weightArguments } from "./weights.js";

const constant = (value: number) => (): Initializer => ({ kind: "constant", value });

export const scale = defineLayer({
  name: "scale",
  aliases: [
    { name: "Scale", defaults: { bias: "false" } },
    { name: "layer_scale", defaults: { bias: "false" } },
  ],
  summary: "multiplies each channel by a trained factor and adds a trained offset",
  documentation: `
\`y = weight[c] * x + bias[c]\`. Input and output have the same shape, an image \`[N, C, H, W]\` or
features \`[N, C]\`.

- Parameters: \`weight [C]\` (ones) and \`bias [C]\` (zeros), which are trained. \`lr=0, bias_lr=0\`
  freezes them, for example to subtract the mean of images from the input.
- \`scale(bias=false, init=constant(1e-6))\` is the layer scale of CaiT and ConvNeXt (Touvron et
  al., arXiv:2103.17239). \`batchnorm\` already has these two parameters.
`,
  positional: [],
  arguments: weightArguments,
  samples: [
    { spec: "scale", input: [3, 4, 5], output: [3, 4, 5] },
    { spec: "scale(bias=false)", input: [10], output: [10] },
    { spec: "scale(bias=false, init=constant(1e-6))", input: [6, 2, 2], output: [6, 2, 2] },
  ],

  infer: (input) => input,

  lower(input, values, context) {
    const { builder, origin } = context;
    const { channels } = imageShape(input.shape);
    const fans = { fanIn: channels, fanOut: channels };
    const weight = addWeight([channels], fans, values, context, { rule: constant(1) });
    const scaled = multiply(operand(0), channel(1));
    if (!values.bias)
      return builder.add("pointwise", [input, weight], { expression: scaled }, origin);
    const bias = addBias(channels, fans, values, context, { rule: constant(0) });
    const expression = add(scaled, channel(2));
    return builder.add("pointwise", [input, weight, bias], { expression }, origin);
  },
});
