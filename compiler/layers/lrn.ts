import { add, binary, constant, multiply, operand } from "../ir/expression.js";
import { choice, float, integer } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

export const lrn = defineLayer({
  name: "lrn",
  aliases: [
    ...["LocalResponseNorm", "local_response_norm"],
    { name: "LRN", given: ["alpha"] },
    { name: "LRN", differs: "without `alpha`, Caffe has 1, ONNX and netc have 1e-4" },
    {
      name: "local_response_normalization",
      differs: "TensorFlow does not divide `alpha` (`divide=none`) and has other defaults",
    },
  ],
  summary: "local response normalization across channels",
  documentation: `
\`y = x / (k + a * s)^beta\`, where \`s\` is the sum of squares over \`size\` neighboring channels,
the element's own in the middle (Krizhevsky, Sutskever and Hinton, 2012, section 3.3). Input and
output have the same shape.

- \`divide=size\`, the default: \`a = alpha / size\`, as in cuda-convnet, Caffe and PyTorch
- \`divide=none\`: \`a = alpha\`, as the paper writes it and TensorFlow computes it
- cuda-convnet's AlexNet has \`k=2\`; Caffe and PyTorch have \`k=1\`
`,
  positional: ["size"],
  arguments: {
    size: withDefault(integer({ minimum: 1 }), 5, "number of channels in the sum"),
    alpha: withDefault(float({ minimum: 0 }), 1e-4, "factor of the sum of squares"),
    beta: withDefault(float({ minimum: 0 }), 0.75, "exponent"),
    k: withDefault(float({ above: 0 }), 1, "what is added to the sum"),
    divide: withDefault(choice(["size", "none"]), "size", "what alpha is divided by"),
  },
  samples: [
    {
      spec: "lrn(5, alpha=1e-4, beta=0.75, k=2, divide=size)",
      input: [96, 55, 55],
      output: [96, 55, 55],
    },
    { spec: "lrn(3, divide=none)", input: [4, 2, 3], output: [4, 2, 3] },
  ],

  infer(input, _, context) {
    return requireImage(input, context) && input;
  },

  lower(input, { size, alpha, beta, k, divide }, { builder, origin }) {
    const square = { expression: multiply(operand(0), operand(0)) };
    const squares = builder.add("pointwise", [input], square, origin);
    const window = { before: Math.floor(size / 2), after: Math.floor((size - 1) / 2) };
    const sums = builder.add("channelWindowSum", [squares], window, origin);
    const factor = divide === "size" ? alpha / size : alpha;
    const scale = add(constant(k), multiply(constant(factor), operand(1)));
    const expression = multiply(operand(0), binary("power", scale, constant(-beta)));
    return builder.add("pointwise", [input, sums], { expression }, origin);
  },
});
