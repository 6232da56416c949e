import { each } from "../diagnostics/alias.js";
import { STRIDE_OF_ONE } from "./pooling.js";
import { constant, multiply, operand } from "../ir/expression.js";
import { boolean, integer } from "../calls/argument-types.js";
import { optional, withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { inferPooling, poolGeometry, poolingArguments } from "./pooling.js";

export const avgpool = defineLayer({
  name: "avgpool",
  aliases: [
    ...["avgpool2d", "AvgPool2d", "avg_pool2d", "avgpool1d", "AvgPool1d", "avg_pool1d"],
    ...each(["AveragePooling2D", "AveragePooling1D"], { defaults: { kernel: "2" } }),
    { name: "avg_pool", given: ["stride", "strides"] },
    { name: "avg_pool", differs: STRIDE_OF_ONE },
    {
      name: "AveragePool",
      differs: "ONNX has a stride of 1 and leaves padding out: `stride=1, count_padding=false`",
    },
  ],
  summary: "average pooling: the mean of each window",
  documentation: `
\`y\` is the average of each window of each channel.

- input \`[N, C, H, W]\`, output \`[N, C, OH, OW]\` with
  \`OH = floor((H + padding - kernel) / stride) + 1\`
- \`stride\` is the kernel if left out, as in PyTorch
- \`count_padding=false\` divides by the number of elements inside the image; by default padded
  zeros count
- \`divisor=9\` divides the sum of a window by 9 instead (PyTorch's \`divisor_override\`)
- \`ceil=true\` rounds up instead of down; what the last windows reach beyond the padding never
  counts
`,
  positional: ["kernel", "stride"],
  arguments: {
    ...poolingArguments,
    count_padding: withDefault(boolean(), true, "whether padded zeros count in the divisor"),
    divisor: optional(integer({ minimum: 1 }), "what each window's sum is divided by"),
  },
  samples: [
    { spec: "avgpool(2)", input: [4, 8, 8], output: [4, 4, 4] },
    { spec: "avgpool(3, stride=2, ceil=true)", input: [32, 16, 16], output: [32, 8, 8] },
    {
      spec: "avgpool(3, stride=2, padding=1, ceil=true, count_padding=false)",
      input: [4, 8, 8],
      output: [4, 5, 5],
    },
    {
      spec: "avgpool(3, stride=2, padding=1, ceil=true, divisor=4)",
      input: [4, 8, 7],
      output: [4, 5, 4],
    },
  ],

  infer: inferPooling,

  lower(input, values, { builder, origin }) {
    const { attributes, overhang } = poolGeometry(input.shape, values);
    if (values.divisor !== undefined) {
      // The mean of all of the window, what is outside included, which is 0.
      const all = { windows: "sliding", ...attributes, countPadding: true } as const;
      const means = builder.add("averagePool", [input], all, origin);
      const [rows, columns] = values.kernel;
      const expression = multiply(constant((rows * columns) / values.divisor), operand(0));
      return builder.add("pointwise", [means], { expression }, origin);
    }
    const countPadding = values.count_padding;
    const average = { windows: "sliding", ...attributes, countPadding, overhang } as const;
    return builder.add("averagePool", [input], average, origin);
  },
});
