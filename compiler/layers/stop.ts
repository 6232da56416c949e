import { unary } from "../ir/expression.js";
import { defineActivation } from "./activation.js";

export const stop = defineActivation({
  name: "stop",
  aliases: ["detach", "stop_gradient", "StopGradient", "no_grad", "BlockGrad"],
  summary: "the value itself, without a gradient for what makes it",
  documentation: `
\`y = x\`, whose gradient is 0: layers before it are not trained by what follows it (PyTorch's
\`detach\`, TensorFlow's \`stop_gradient\`). In a formula, \`stop(x)\` is a constant:
\`let y = a * stop(b)\`. It costs no kernel.
`,
  positional: [],
  arguments: {},
  samples: [
    { spec: "stop", input: [3, 4, 4], output: [3, 4, 4] },
    { spec: "stop", input: [10], output: [10] },
  ],

  expression: (x) => unary("stop", x),
});
