import { each } from "../diagnostics/alias.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { clampedLine, hardSigmoidOf } from "./hard.js";
import { defineActivation } from "./activation.js";

const SLOPE = 1 / 6;
const OFFSET = 0.5;

export const hardsigmoid = defineActivation({
  name: "hardsigmoid",
  aliases: [
    "Hardsigmoid",
    ...each(["HardSigmoid", "hard_sigmoid"], { given: ["slope", "offset"] }),
    ...each(["HardSigmoid", "hard_sigmoid"], {
      differs: "Keras 2 and ONNX have `slope=0.2`, netc (as PyTorch and Keras 3) x/6 + 0.5",
    }),
  ],
  summary: "piecewise-linear sigmoid",
  documentation: `
\`y = min(max(slope * x + offset, 0), 1)\`: 0, then a
line, then 1. Without arguments it is PyTorch's \`min(max(x + 3, 0), 6) / 6\`: 0 below -3, and 1
above 3. Element by element; input and output have the same shape.

ONNX, Keras 2 and TensorFlow.js have \`hardsigmoid(slope=0.2)\`.
`,
  range: [0, 1],
  positional: [],
  arguments: {
    slope: withDefault(float({ above: 0 }), SLOPE, "slope of the line between 0 and 1"),
    offset: withDefault(float(), OFFSET, "value of that line at 0"),
  },
  samples: [
    { spec: "hardsigmoid", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "hardsigmoid", input: [10], output: [10] },
    { spec: "hardsigmoid(slope=0.2)", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "hardsigmoid(slope=0.25, offset=0.4)", input: [10], output: [10] },
  ],

  expression(x, { slope, offset }) {
    // PyTorch multiplies last, which rounds another way than the general form.
    const isPyTorchs = slope === SLOPE && offset === OFFSET;
    return isPyTorchs ? hardSigmoidOf(x) : clampedLine(x, slope, offset);
  },
});
