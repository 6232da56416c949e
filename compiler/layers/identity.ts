import { defineLayer } from "./layer.js";

export const identity = defineLayer({
  name: "identity",
  aliases: ["Identity", "pass", "noop"],
  summary: "the value itself, for a name",
  documentation: `
\`y = x\`. \`identity as x\` names the input of a block, which can then return to it with
\`from x\`, or join it with \`add(x)\` and \`multiply(x)\`.
`,
  takesWide: true,
  positional: [],
  arguments: {},
  samples: [
    { spec: "identity", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "identity", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower: (input) => input,
});
