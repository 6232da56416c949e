import { keep, multiply, operand } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";

export const stochasticDepth = defineLayer({
  name: "stochastic_depth",
  aliases: ["StochasticDepth", "DropPath", "drop_path", "droppath"],
  summary: "drops whole examples of a branch at random in training",
  documentation: `
In training, a whole example becomes 0 with probability \`rate\`, and the others are multiplied
by \`1 / (1 - rate)\`, which keeps the mean. Otherwise nothing changes. At the end of the body of
a \`residual\`, the example then skips the body (Huang et al., "Deep networks with stochastic
depth", 2016; torchvision's \`StochasticDepth\` with mode \`row\`, timm's \`DropPath\`):

\`\`\`net
residual {
  conv(64, kernel=3, padding=1) -> batchnorm -> relu
  conv(64, kernel=3, padding=1) -> batchnorm -> stochastic_depth(0.1)
} skip auto
\`\`\`

\`residual(drop=0.1) { ... } skip auto\` says the same. Rates usually grow with depth, from nearly 0
to that of the last block. Input and output have the same shape. Which examples are dropped follows
from the seed, the step and the layer.
`,
  takesWide: true,
  positional: ["rate"],
  arguments: {
    rate: required(float({ minimum: 0, below: 1 }), "probability that an example is dropped"),
  },
  samples: [
    { spec: "stochastic_depth(0.1)", input: [8, 4, 4], output: [8, 4, 4] },
    { spec: "stochastic_depth(0.2)", input: [6, 8], output: [6, 8] },
  ],

  infer: (input) => input,

  lower(input, { rate }, { builder, origin, nextStream }) {
    const expression = multiply(operand(0), keep(rate, nextStream(), "example"));
    return builder.add("pointwise", [input], { expression }, origin);
  },
});
