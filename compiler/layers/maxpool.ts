import { STRIDE_OF_ONE } from "./pooling.js";
import { pair } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { each } from "../diagnostics/alias.js";
import { defineLayer } from "./layer.js";
import { inferPooling, poolGeometry, poolingArguments } from "./pooling.js";
import { NO_DILATION } from "./windows.js";

export const maxpool = defineLayer({
  name: "maxpool",
  aliases: [
    ...["maxpool2d", "MaxPool2d", "max_pool2d", "maxpool1d", "MaxPool1d", "max_pool1d"],
    ...each(["MaxPooling2D", "MaxPooling1D"], { defaults: { kernel: "2" } }),
    ...each(["MaxPool", "max_pool"], { given: ["stride", "strides"] }),
    ...each(["MaxPool", "max_pool"], { differs: STRIDE_OF_ONE }),
    { name: "Pooling", differs: "Caffe has a stride of 1 and rounds up: `stride=1, ceil=true`" },
  ],
  summary: "max pooling: the largest element of each window",
  documentation: `
\`y\` is the largest element of each window of each channel. Padding never wins.

- input \`[N, C, H, W]\`, output \`[N, C, OH, OW]\` with
  \`OH = floor((H + padding - kernel) / stride) + 1\`
- \`stride\` is the kernel if left out, as in PyTorch; AlexNet's overlapping pools are
  \`maxpool(3, stride=2)\`
- \`ceil=true\` rounds up instead, so that a last window that starts inside the image counts
  (Caffe's and cuda-convnet's rule; PyTorch's \`ceil_mode\`)
- \`dilation\` leaves holes between the elements of a window, which then spans
  \`dilation * (kernel - 1) + 1\`
`,
  positional: ["kernel", "stride"],
  arguments: {
    ...poolingArguments,
    dilation: withDefault(pair({ minimum: 1 }), NO_DILATION, "distance of a window's elements"),
  },
  samples: [
    { spec: "maxpool(3, stride=2)", input: [64, 55, 55], output: [64, 27, 27] },
    { spec: "maxpool(2)", input: [4, 7, 6], output: [4, 3, 3] },
    { spec: "maxpool(3, stride=2, ceil=true)", input: [32, 32, 32], output: [32, 16, 16] },
    { spec: "maxpool(3, stride=2, padding=1)", input: [4, 7, 7], output: [4, 4, 4] },
    {
      spec: "maxpool(3, stride=2, padding=1, dilation=[2, 1], ceil=true)",
      input: [4, 9, 8],
      output: [4, 4, 5],
    },
  ],

  infer: inferPooling,

  lower(input, values, { builder, origin }) {
    const { attributes } = poolGeometry(input.shape, values);
    const { dilation } = values;
    const holes = dilation.some((step) => step > 1) ? { dilation } : {};
    return builder.add("maxPool", [input], { ...attributes, ...holes, relu: false }, origin);
  },
});
