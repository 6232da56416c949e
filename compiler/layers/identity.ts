import { defineLayer } from "./layer.js";

export const identity = defineLayer({
  name: "identity",
  aliases: ["Identity", "pass", "noop"],
  summary: "the value itself, to give it a name",
  documentation: `
\`y = x\`. Computes nothing: \`identity as x\` names what comes in, so that a block can return to it
with \`from x\`, or join it with \`add(x)\` and \`multiply(x)\`.
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "identity", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "identity", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower: (input) => input,
});
