import { constant, multiply, operand } from "../ir/expression.js";
import { float } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { power } from "./formula-power.js";
import { each } from "../diagnostics/alias.js";
import { defineLayer } from "./layer.js";
import { inferPooling, poolGeometry, poolingArguments, type PoolingValues } from "./pooling.js";

const { kernel, stride, ceil } = poolingArguments;

const NO_PADDING = { top: 0, bottom: 0, left: 0, right: 0 };

export const lpPool = defineLayer({
  name: "lp_pool",
  aliases: each(["LPPool2d", "LPPool1d"], { positional: ["p", "kernel", "stride", "ceil"] }),
  summary: "the p-norm of each window",
  documentation: `
\`y = (sum x^p)^(1/p)\` over each window of each channel: PyTorch's \`LPPool2d\`. With \`p=1\` it is
the sum of the window. For a \`p\` that is not an even integer, \`x\` must not be negative. As in
PyTorch, the gradient of a window that sums to 0 is not finite.

- input \`[N, C, H, W]\`, output \`[N, C, OH, OW]\` with \`OH = floor((H - kernel) / stride) + 1\`
`,
  positional: ["p", "kernel", "stride"],
  arguments: {
    p: required(float({ above: 0 }), "the norm's power"),
    kernel,
    stride,
    ceil,
  },
  samples: [
    { spec: "lp_pool(2, 2)", input: [4, 8, 6], output: [4, 4, 3] },
    { spec: "lp_pool(2, 3, stride=2, ceil=true)", input: [4, 8, 8], output: [4, 4, 4] },
  ],

  infer: (input, values, context) => inferPooling(input, unpadded(values), context),

  lower(input, values, { builder, origin }) {
    const { attributes, overhang } = poolGeometry(input.shape, unpadded(values));
    const average = { windows: "sliding", ...attributes, countPadding: true, overhang } as const;
    const raised = { expression: power(operand(0), constant(values.p)) };
    const powers = builder.add("pointwise", [input], raised, origin);
    const means = builder.add("averagePool", [powers], average, origin);
    const sum = multiply(constant(values.kernel[0] * values.kernel[1]), operand(0));
    const expression = power(sum, constant(1 / values.p));
    return builder.add("pointwise", [means], { expression }, origin);
  },
});

const unpadded = (values: Omit<PoolingValues, "padding">): PoolingValues => ({
  ...values,
  padding: NO_PADDING,
});
