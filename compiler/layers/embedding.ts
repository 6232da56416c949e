import { plural } from "../diagnostics/plural.js";
import { integer } from "../calls/argument-types.js";
import { optional, required } from "../calls/signature.js";
import { formatShape, isSequence, type Shape } from "../ir/shape.js";
import type { InitializerRule } from "./initializers.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { addWeight, weightSettings } from "./weights.js";

/** PyTorch's: the standard normal distribution. */
const standardNormal: InitializerRule = () => ({ kind: "normal", mean: 0, deviation: 1 });

export const embedding = defineLayer({
  name: "embedding",
  aliases: ["Embedding", "Embed", "embed"],
  summary: "trained numbers for each token: rows of a table",
  documentation: `
Row \`token\` of a table, for each token. It is the only layer that reads an input of tokens, which
is declared with how many different ones there are:
\`input words: u32[N, 16] in 0..10000\`.

- input \`u32[N, T]\`, output \`[N, T, width]\`; input \`u32[N]\`, output \`[N, width]\`
- parameter \`weight [V, width]\`; V is the end of the input's range

The token \`padding_index\` has zeros that are not trained. Layers that follow still see its place.

The gradient is the sum over all tokens of a kind in one order: it has the same bits in each run. It
is as large as the table, and looking for the tokens takes about V * N * T comparisons.
`,
  positional: ["width"],
  arguments: {
    width: required(integer({ minimum: 1 }), "numbers of a token"),
    padding_index: optional(
      integer({ minimum: 0 }),
      "a token whose numbers begin with 0 and have no gradient",
    ),
    ...weightSettings,
  },
  readsTokens: true,
  samples: [
    { spec: "embedding(8)", input: [5], output: [5, 8], vocabulary: 11 },
    { spec: "embedding(6, padding_index=0)", input: [], output: [6], vocabulary: 4 },
  ],

  infer(input, values, context) {
    const { vocabulary } = context;
    if (vocabulary === undefined) return reportNumbers(input, context);
    const { padding_index: padding } = values;
    if (padding !== undefined && padding >= vocabulary) reportPadding(padding, context);
    return [...input, values.width];
  },

  lower(input, values, context) {
    const { builder, origin, vocabulary } = context;
    const { width, padding_index: padding } = values;
    const fans = { fanIn: vocabulary!, fanOut: width };
    const zeros = padding === undefined ? undefined : { first: padding * width, count: width };
    const options = { rule: standardNormal, zeros };
    const table = addWeight([vocabulary!, width], fans, values, context, options);
    return builder.add("embedding", [input, table], { padding }, origin);
  },
});

function reportNumbers(input: Shape, context: InferenceContext): undefined {
  const shape = input.slice(1).join(", ");
  const isShort = input.length === 2;
  return context.report("NET2039", {
    message: `${context.title} needs tokens, but receives numbers, f32${formatShape(input)}`,
    axis: "rank",
    notes: [
      isShort
        ? `tokens are declared with their number: \`u32[N, ${shape}] in 0..1000\``
        : "tokens are an input `u32[N, T] in 0..1000`; " +
          `\`linear\` changes the width of ${isSequence(input) ? "a sequence" : "numbers"}`,
    ],
  });
}

function reportPadding(padding: number, context: InferenceContext): void {
  const vocabulary = context.vocabulary!;
  context.report("NET2039", {
    message:
      `${context.title}: padding_index=${padding}, ` +
      `but there are only ${plural(vocabulary, "token")}, 0 to ${vocabulary - 1}`,
    at: "padding_index",
    fixes: [context.removeArgument("padding_index", "remove `padding_index`")],
  });
}
