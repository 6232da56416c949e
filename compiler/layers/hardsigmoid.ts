import { each } from "../diagnostics/alias.js";
import { operand } from "../ir/expression.js";
import { hardSigmoidOf } from "./hard.js";
import { defineLayer } from "./layer.js";

export const hardsigmoid = defineLayer({
  name: "hardsigmoid",
  aliases: [
    ...["Hardsigmoid"],
    ...each(["HardSigmoid", "hard_sigmoid"], {
      differs: "Keras 2 and ONNX have 0.2*x + 0.5, netc (as PyTorch and Keras 3) x/6 + 0.5",
    }),
  ],
  summary: "sigmoid of three lines",
  documentation: `
\`y = min(max(x + 3, 0), 6) / 6\`: 0 up to -3, 1 from 3 on, and a line between. Element by element; input and output have the same shape.
`,
  range: [0, 1],
  positional: [],
  arguments: {},
  samples: [
    { spec: "hardsigmoid", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "hardsigmoid", input: [10], output: [10] },
  ],

  infer: (input) => input,

  lower(input, _, { builder, origin }) {
    return builder.add("pointwise", [input], { expression: hardSigmoidOf(operand(0)) }, origin);
  },
});
