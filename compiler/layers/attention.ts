import type { Pair, Value } from "../ir/graph.js";
import { formatShape, imageShape, type Shape } from "../ir/shape.js";
import { boolean, float, integer, pair } from "../calls/argument-types.js";
import { type ArgumentValues, optional, required, withDefault } from "../calls/signature.js";
import { OF_SEQUENCES, OF_WINDOWS, project, scaleOfHeads } from "./attention-projection.js";
import {
  addGains,
  checkWindows,
  cropTo,
  padToWindows,
  refuseShift,
  windowsOf,
} from "./attention-windows.js";
import { defineLayer, type InferenceContext, type LayerContext } from "./layer.js";
import { requireSequence } from "./rules.js";
import { weightArguments } from "./weights.js";

/** Larger heads would not fit into the registers of a thread. */
const LARGEST_HEAD = 256;

const attentionArguments = {
  heads: required(integer({ minimum: 1 }), "parts of the channels that attend separately"),
  causal: withDefault(boolean(), false, "whether a token sees only itself and those before it"),
  window: optional(pair({ minimum: 1 }), "rows and columns of an image's windows"),
  shift: withDefault(pair({ minimum: 0 }), [0, 0], "where the first window begins"),
  scale: optional(
    float({ above: 0 }),
    "factor of the products of queries and keys; 1 / sqrt(C / heads) if left out",
  ),
  dropout: withDefault(
    float({ minimum: 0, below: 1 }),
    0,
    "part of the attention weights that training drops",
  ),
  ...weightArguments,
};

type AttentionValues = ArgumentValues<typeof attentionArguments>;

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
- \`scale\`: a factor in the place of \`1 / sqrt(C / heads)\`
- \`dropout\`: training drops attention weights, and multiplies the others by
  \`1 / (1 - dropout)\`. Which ones follows from seed, step and layer

With \`window=7\`, each pixel of an image attends to the pixels of its window of 7x7 (Liu et al.,
"Swin Transformer", arXiv:2103.14030; torchvision's \`ShiftedWindowAttention\`). \`shift=3\` counts
windows from row and column 3, and around the border.

- input and output \`[N, C, H, W]\`; zeros complete the last windows
- parameters \`relative_position_bias_table [(2h-1)*(2w-1), heads]\`, which scores gain by how far
  apart two pixels are; \`qkv.weight\`, \`qkv.bias\`, \`proj.weight\` and \`proj.bias\`

Scores are never stored: memory grows with \`T\`, not with its square (Dao et al., "FlashAttention",
arXiv:2205.14135).
`,
  positional: ["heads"],
  arguments: attentionArguments,
  samples: [
    { spec: "attention(12)", input: [197, 768], output: [197, 768] },
    { spec: "attention(heads=2, causal=true)", input: [5, 8], output: [5, 8] },
    { spec: "attention(3, bias=false)", input: [4, 9], output: [4, 9] },
    { spec: "attention(2, scale=1)", input: [5, 8], output: [5, 8] },
    { spec: "attention(2, dropout=0.1)", input: [5, 8], output: [5, 8] },
    { spec: "attention(2, window=4, shift=2)", input: [8, 8, 8], output: [8, 8, 8] },
    { spec: "attention(1, window=[2, 3], shift=[1, 2])", input: [5, 5, 7], output: [5, 5, 7] },
  ],

  infer(input, values, context) {
    const { heads, window, shift } = values;
    const isFine = window
      ? checkWindows(input, { ...values, window }, context)
      : refuseShift(shift, context) && requireSequence(input, context) !== undefined;
    if (isFine) checkHeads(heads, input, context);
    return isFine ? input : undefined;
  },

  lower(input, values, context) {
    const { builder, origin } = context;
    const { window } = values;
    if (window) return lowerWindows(input, { ...values, window }, context);
    const { channels } = imageShape(input.shape);
    const inputs = project(input, 3 * channels, values, { context, ...OF_SEQUENCES.into });
    const attributes = attributesOf(values, channels, context);
    const attended = builder.add("attention", [inputs], attributes, origin);
    return project(attended, channels, values, { context, ...OF_SEQUENCES.out });
  },

  macs(input, _, { window }) {
    const { channels, width, height } = imageShape(input);
    const tokens = height * width;
    const seen = window ? window[0] * window[1] : tokens;
    return 4 * tokens * channels * channels + 2 * tokens * seen * channels;
  },
});

/** Of the op. No numbers are drawn where nothing is dropped. */
function attributesOf(
  { heads, causal, scale, dropout: rate }: AttentionValues,
  channels: number,
  { nextStream }: LayerContext,
) {
  const dropout = rate === 0 ? {} : { dropout: { rate, stream: nextStream() } };
  return { heads, causal, scale: scale ?? scaleOfHeads(channels, heads), ...dropout };
}

/** Queries, keys and values of images, whose windows meet at their border. */
function lowerWindows(
  input: Value,
  values: AttentionValues & { readonly window: Pair },
  context: LayerContext,
): Value {
  const { builder, origin } = context;
  const { heads, window: size, shift } = values;
  const { channels } = imageShape(input.shape);
  const gains = addGains(size, heads, context);
  const padded = padToWindows(input, size, context);
  const inputs = project(padded, 3 * channels, values, { context, ...OF_WINDOWS.into });
  const window = windowsOf(padded.shape, size, shift);
  const attributes = { ...attributesOf(values, channels, context), window };
  const attended = builder.add("attention", [inputs, gains], attributes, origin);
  const cropped = cropTo(attended, input.shape, context);
  return project(cropped, channels, values, { context, ...OF_WINDOWS.out });
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
