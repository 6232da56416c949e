import { BATCH, formatShape } from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireSequence } from "./rules.js";

export const token = defineLayer({
  name: "token",
  aliases: [],
  summary: "one token of a sequence",
  documentation: `
Token number \`index\`, counted from 0: \`token(0)\` is PyTorch's \`x[:, 0]\`, which reads the class
token of a vision transformer.

- input \`[N, T, C]\`, output \`[N, C]\`
`,
  positional: ["index"],
  arguments: {
    index: required(integer({ minimum: 0 }), "number of the token, from 0"),
  },
  samples: [
    { spec: "token(0)", input: [197, 768], output: [768] },
    { spec: "token(2)", input: [3, 5], output: [5] },
  ],

  infer(input, { index }, context) {
    const sequence = requireSequence(input, context);
    if (!sequence) return undefined;
    const { tokens, channels } = sequence;
    if (index >= tokens) {
      context.report("NET2027", {
        message: `${context.title}: ${formatShape(input)} has tokens 0 to ${tokens - 1}`,
        at: "index",
        label: `no token ${index}`,
        axis: "channels",
        notes: ["tokens count from 0"],
        fixes: [context.replaceArgument("index", `${tokens - 1}`, `write \`${tokens - 1}\``)],
      });
    }
    return [BATCH, channels];
  },

  lower(input, { index }, { builder, origin }) {
    const channels = Number(input.shape[2]);
    const part = { shape: [BATCH, channels], start: index * channels, strides: [1] } as const;
    return builder.add("rearrange", [input], part, origin);
  },
});
