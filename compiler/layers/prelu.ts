import { add, binary, channel, constant, multiply, operand, unary } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import { BATCH, imageShape, type Shape } from "../ir/shape.js";
import { boolean, float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { spreadValue } from "./joins.js";
import { defineLayer, type LayerContext } from "./layer.js";
import { addWeight, trainingArguments } from "./weights.js";

const { lr, decay } = trainingArguments;

export const prelu = defineLayer({
  name: "prelu",
  aliases: [
    {
      name: "PReLU",
      differs: "PyTorch counts channels, netc says `per_channel=true`",
    },
  ],
  summary: "rectified linear unit with a trained slope below zero",
  documentation: `
\`y = x\` for \`x > 0\`, else \`weight * x\` (He et al., arXiv:1502.01852). Shapes stay
the same.

- parameter \`weight [1]\`, or \`[C]\` with \`per_channel=true\`: PyTorch's \`num_parameters\`
- \`start\` is the slope before training, PyTorch's \`init\`. He et al. have no weight decay for it:
  \`decay=0\`
`,
  positional: [],
  arguments: {
    per_channel: withDefault(boolean(), false, "whether each channel has a slope"),
    start: withDefault(float(), 0.25, "the slope before training"),
    lr,
    decay,
  },
  samples: [
    { spec: "prelu", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "prelu(per_channel=true)", input: [5, 4, 4], output: [5, 4, 4] },
    { spec: "prelu(per_channel=true)", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower(input, values, context) {
    const { builder, origin } = context;
    const { channels } = imageShape(input.shape);
    const count = values.per_channel ? channels : 1;
    const rule = () => ({ kind: "constant", value: values.start }) as const;
    const training = {
      ...values,
      init: undefined,
      bias_init: undefined,
      bias_lr: 1,
      bias_decay: 1,
    };
    const fans = { fanIn: 1, fanOut: 1 };
    const weight = addWeight([count], fans, training, context, { rule });
    const slope = values.per_channel ? channel(1) : operand(1);
    const slopes = values.per_channel ? weight : everywhere(weight, input, context);
    // The slope at 0 is that below it, as in PyTorch.
    const below = multiply(slope, binary("minimum", constant(0), operand(0)));
    const expression = add(unary("relu", operand(0)), below);
    return builder.add("pointwise", [input, slopes], { expression }, origin);
  },
});

/** One number at each place of a value. */
function everywhere(weight: Value, { shape }: Value, { builder, origin }: LayerContext): Value {
  const single = builder.add("broadcast", [weight], {}, origin);
  const one: Shape = [BATCH, ...shape.slice(1).map(() => 1)];
  const shaped =
    shape.length === 2 ? single : builder.add("reshape", [single], { shape: one }, origin);
  return spreadValue(builder, shaped, shape, origin);
}
