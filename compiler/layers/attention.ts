import type { Initializer } from "../../program/program.js";
import { add, channel, operand } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import { formatShape, imageShape, type Shape } from "../ir/shape.js";
import { boolean, integer } from "../calls/argument-types.js";
import { type ArgumentValues, required, withDefault } from "../calls/signature.js";
import type { Fans } from "./initializers.js";
import { defineLayer, type InferenceContext, type LayerContext } from "./layer.js";
import { AS_CONVOLUTION } from "./linear.js";
import { requireSequence } from "./rules.js";
import { addBias, addWeight, weightArguments } from "./weights.js";

/** Larger heads would not fit into the registers of a thread. */
const LARGEST_HEAD = 256;

export const attention = defineLayer({
  name: "attention",
  aliases: ["MultiheadAttention", "multihead_attention", "self_attention", "mha", "mhsa"],
  summary: "self-attention of several heads over the tokens of a sequence",
  documentation: `
Every token attends to all tokens: \`softmax(q k / sqrt(C / heads)) v\` for each head (Vaswani et
al., arXiv:1706.03762). Queries, keys and values are linear layers of the tokens, and one more
linear layer joins the heads. PyTorch calls it
\`MultiheadAttention(C, heads, batch_first=True)\`, with the same query, key and value.

- input and output \`[N, T, C]\`; \`heads\` divides \`C\`
- parameters \`in_proj_weight [3*C, C]\` and \`in_proj_bias [3*C]\`, for queries, keys and values
  in this order; \`out_proj.weight [C, C]\` and \`out_proj.bias [C]\`
- \`causal\`: a token attends to itself and to earlier tokens

Scores are never stored: memory grows with \`T\`, not with its square (Dao et al., "FlashAttention",
arXiv:2205.14135).
`,
  positional: ["heads"],
  arguments: {
    heads: required(integer({ minimum: 1 }), "parts of the channels that attend separately"),
    causal: withDefault(boolean(), false, "whether a token sees only itself and those before it"),
    ...weightArguments,
  },
  samples: [
    { spec: "attention(12)", input: [197, 768], output: [197, 768] },
    { spec: "attention(heads=2, causal=true)", input: [5, 8], output: [5, 8] },
    { spec: "attention(3, bias=false)", input: [4, 9], output: [4, 9] },
  ],

  infer(input, { heads }, context) {
    const sequence = requireSequence(input, context);
    if (sequence) checkHeads(heads, input, context);
    return sequence && input;
  },

  lower(input, values, context) {
    const { builder, origin } = context;
    const { heads, causal } = values;
    const { channels } = imageShape(input.shape);
    const inputs = project(input, 3 * channels, values, { context, ...IN_PROJECTION });
    const attended = builder.add("attention", [inputs], { heads, causal }, origin);
    return project(attended, channels, values, { context, ...OUT_PROJECTION });
  },

  macs(input) {
    const { channels, width: tokens } = imageShape(input);
    return 4 * tokens * channels * channels + 2 * tokens * tokens * channels;
  },
});

/** How a projection's weights are called, and how they start. */
interface Projection {
  readonly weight: string;
  readonly bias: string;
  readonly rule?: (fans: Fans) => Initializer;
}

/** Glorot and Bengio's, uniform. */
const xavier = ({ fanIn, fanOut }: Fans): Initializer => {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return { kind: "uniform", low: -bound, high: bound };
};

const zero = (): Initializer => ({ kind: "constant", value: 0 });

const IN_PROJECTION: Projection = { weight: "in_proj_weight", bias: "in_proj_bias", rule: xavier };
const OUT_PROJECTION: Projection = { weight: "out_proj.weight", bias: "out_proj.bias" };

function project(
  input: Value,
  out: number,
  values: ArgumentValues<typeof weightArguments>,
  { context, weight: name, bias: biasName, rule }: Projection & { readonly context: LayerContext },
): Value {
  const { builder, origin } = context;
  const { channels } = imageShape(input.shape);
  const fans = { fanIn: channels, fanOut: out };
  const weight = addWeight([out, channels], fans, values, context, { rule, name });
  const product = builder.add("convolution", [input, weight], AS_CONVOLUTION, origin);
  if (!values.bias) return product;
  const bias = addBias(out, fans, values, context, { rule: zero, name: biasName });
  const expression = add(operand(0), channel(1));
  return builder.add("pointwise", [product, bias], { expression }, origin);
}

function checkHeads(heads: number, input: Shape, context: InferenceContext): void {
  const { channels } = imageShape(input);
  const size = channels / heads;
  if (Number.isInteger(size) && size <= LARGEST_HEAD) return;
  const divisors = Array.from({ length: channels }, (_, index) => index + 1).filter(
    (divisor) => channels % divisor === 0 && channels / divisor <= LARGEST_HEAD,
  );
  const nearest = divisors.reduce((a, b) => (Math.abs(b - heads) < Math.abs(a - heads) ? b : a));
  context.report("NET2029", {
    message: Number.isInteger(size)
      ? `${context.title}: a head would have ${size} of the ${channels} channels, ` +
        `at most ${LARGEST_HEAD} are possible`
      : `${context.title}: heads=${heads} does not divide ` +
        `the ${channels} channels of ${formatShape(input)}`,
    at: "heads",
    label: Number.isInteger(size)
      ? `${channels} / ${heads} = ${size}`
      : `${channels} / ${heads} leaves ${channels % heads} over`,
    axis: "channels",
    notes: ["each head has as many channels as the others"],
    fixes: [context.replaceArgument("heads", `heads=${nearest}`, `write \`heads=${nearest}\``)],
  });
}
