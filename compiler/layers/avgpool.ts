import { STRIDE_OF_ONE } from "./pooling.js";
import { boolean } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { inferPooling, poolGeometry, poolingArguments } from "./pooling.js";

export const avgpool = defineLayer({
  name: "avgpool",
  aliases: [
    ...["avgpool2d", "AvgPool2d", "avg_pool2d"],
    { name: "AveragePooling2D", defaults: { kernel: "2" } },
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
- \`ceil=true\` rounds up instead of down; what the last windows reach beyond the padding never
  counts
`,
  positional: ["kernel", "stride"],
  arguments: {
    ...poolingArguments,
    count_padding: withDefault(boolean(), true, "whether padded zeros count in the divisor"),
  },
  samples: [
    { spec: "avgpool(2)", input: [4, 8, 8], output: [4, 4, 4] },
    { spec: "avgpool(3, stride=2, ceil=true)", input: [32, 16, 16], output: [32, 8, 8] },
    {
      spec: "avgpool(3, stride=2, padding=1, ceil=true, count_padding=false)",
      input: [4, 8, 8],
      output: [4, 5, 5],
    },
  ],

  infer: inferPooling,

  lower(input, values, { builder, origin }) {
    const { attributes, overhang } = poolGeometry(input.shape, values);
    const countPadding = values.count_padding;
    const average = { windows: "sliding", ...attributes, countPadding, overhang } as const;
    return builder.add("averagePool", [input], average, origin);
  },
});
