import { each } from "../diagnostics/alias.js";
import { binary, constant, multiply } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineActivation } from "./activation.js";

export const leakyRelu = defineActivation({
  name: "leaky_relu",
  aliases: [
    { name: "LeakyReLU", given: ["negative_slope", "slope", "alpha"] },
    ...each(["LeakyReLU", "leakyrelu", "lrelu"], {
      differs: "without a slope, PyTorch has 0.01 as netc, Keras 0.3 and TensorFlow 0.2",
    }),
  ],
  summary: "rectified linear unit with a slope below zero",
  documentation: `
\`y = max(x, slope * x)\` (Maas et al., 2013). Element by element; input and output have the same
shape.
`,
  positional: ["slope"],
  arguments: {
    slope: withDefault(float({ minimum: 0 }), 0.01, "slope of the line below zero"),
  },
  samples: [
    { spec: "leaky_relu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "leaky_relu", input: [10], output: [10] },
    { spec: "leaky_relu(0.2)", input: [10], output: [10] },
  ],

  expression: (x, { slope }) =>
    binary(slope > 1 ? "minimum" : "maximum", x, multiply(constant(slope), x)),
});
