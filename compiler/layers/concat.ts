import { choice } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import {
  BATCH,
  formatShape,
  imageShape,
  isSequence,
  sameShape,
  spaceOf,
  withChannels,
  type Shape,
} from "../ir/shape.js";
import { concatenateValues } from "./joins.js";
import { defineLayer, type InferenceContext } from "./layer.js";

export const concat = defineLayer({
  name: "concat",
  aliases: ["Concat", "Concatenate", "cat", "concatenate"],
  summary: "concatenation of several values along the channels",
  documentation: `
The channels of the current value, then those of the named values in their order:
\`concat(a, b)\` of \`[N, 8, H, W]\`, \`[N, 4, H, W]\` and \`[N, 2, H, W]\` is \`[N, 14, H, W]\`.
All other sizes must agree. \`concat { branch { ... } ... }\` writes branches from one value without
names.

\`concat(a, axis=tokens)\` joins sequences \`[N, T, C]\` along their tokens, PyTorch's
\`torch.cat([x, a], 1)\`. A class token comes first with \`from class_token -> concat(x,
axis=tokens)\`.
`,
  positional: [],
  arguments: {
    axis: withDefault(choice(["channels", "tokens"]), "channels", "what is joined"),
  },
  others: "several",
  samples: [
    { spec: "concat(a)", input: [3, 4, 4], others: [[5, 4, 4]], output: [8, 4, 4] },
    {
      spec: "concat(a, b)",
      input: [8, 3, 3],
      others: [
        [4, 3, 3],
        [6, 3, 3],
      ],
      output: [18, 3, 3],
    },
    { spec: "concat(a)", input: [10], others: [[7]], output: [17] },
    { spec: "concat(a)", input: [5, 8], others: [[5, 4]], output: [5, 12] },
  ],

  infer(input, { axis }, context) {
    if (axis === "tokens") return joinedTokens([input, ...context.others], context);
    const wrong = context.others.find(
      (other) => other.length !== input.length || !sameShape(spaceOf(other), spaceOf(input)),
    );
    if (wrong) {
      return context.report("NET2031", {
        message:
          `${context.title} joins ${formatShape(input)} and ${formatShape(wrong)}, ` +
          "which differ in more than their channels",
        axis: wrong.length === input.length ? "space" : "rank",
      });
    }
    const channels = [input, ...context.others].map((shape) => imageShape(shape).channels);
    return withChannels(input, sum(channels));
  },

  lower: (input, { axis }, { builder, origin, others }) =>
    concatenateValues(builder, [input, ...others], origin, axis === "tokens" ? { axis } : {}),
});

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

function joinedTokens(shapes: readonly Shape[], context: InferenceContext): Shape | undefined {
  const [first, ...others] = shapes as [Shape, ...Shape[]];
  const channels = isSequence(first) ? first[2]! : undefined;
  const wrong = others.find((shape) => !isSequence(shape) || shape[2] !== channels);
  if (channels !== undefined && !wrong) {
    return [BATCH, sum(shapes.map((shape) => Number(shape[1]))), channels];
  }
  return context.report("NET2031", {
    message:
      `${context.title} joins ${shapes.map(formatShape).join(" and ")} along their tokens, ` +
      "which must be sequences [N, T, C] of one number of channels",
    axis: channels === undefined ? "rank" : "channels",
  });
}
