import { keep, multiply, operand } from "../ir/expression.js";
import { boolean, float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";

export const dropout = defineLayer({
  name: "dropout",
  aliases: [
    ...["Dropout", "drop"],
    ...[
      "Dropout2d",
      "dropout2d",
      "Dropout1d",
      "dropout1d",
      "SpatialDropout2D",
      "SpatialDropout1D",
    ].map((name) => ({
      name,
      defaults: { channels: "true" },
    })),
  ],
  summary: "zeroes elements, or whole channels, at random in training",
  documentation: `
In training, each element becomes 0 with probability \`rate\`, and the others are multiplied by
\`1 / (1 - rate)\`, which keeps the mean. Otherwise nothing changes (Srivastava et al., 2014, in the
inverted form that PyTorch uses). Input and output have the same shape. The mask follows from the
seed, the step and the layer.

\`channels=true\` drops whole channels of an example (Tompson et al., 2015; PyTorch's \`Dropout2d\`,
Keras' \`SpatialDropout2D\`). Use it after convolutions: their neighboring pixels are similar, so
dropping single pixels has little effect. \`stochastic_depth\` drops whole examples.
`,
  takesWide: "last axis",
  positional: ["rate"],
  arguments: {
    rate: withDefault(float({ minimum: 0, below: 1 }), 0.5, "probability of a zero"),
    channels: withDefault(boolean(), false, "whether whole channels of an example are dropped"),
  },
  samples: [
    { spec: "dropout(0.5)", input: [4096], output: [4096] },
    { spec: "dropout(0.1)", input: [8, 4, 4], output: [8, 4, 4] },
    { spec: "dropout(0.2, channels=true)", input: [8, 4, 4], output: [8, 4, 4] },
  ],

  infer: (input) => input,

  lower(input, { rate, channels }, { builder, origin, nextStream }) {
    const dropped = channels ? "channel" : "element";
    const expression = multiply(operand(0), keep(rate, nextStream(), dropped));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
