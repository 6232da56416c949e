import { CAFFE_INITIAL_VALUES, KERAS_INITIAL_VALUES } from "./foreign-initial-values.js";
import { add, channel, operand } from "../ir/expression.js";
import { each } from "../diagnostics/alias.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import type { Pair } from "../ir/graph.js";
import { BATCH, imageShape } from "../ir/shape.js";
import { integer, padding, pair } from "../calls/argument-types.js";
import { optional, required, withDefault } from "../calls/signature.js";
import { checkChannels } from "./channels.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireFit, requireImage, warnOfGaps } from "./rules.js";
import { addBias, addWeight, weightArguments } from "./weights.js";
import { floorOutput } from "./windows.js";

export const conv = defineLayer({
  name: "conv",
  aliases: [
    ...["conv2d", "Conv2d", "conv1d", "Conv1d", "convolution"],
    ...each(["Conv2D", "Conv1D"], { defaults: KERAS_INITIAL_VALUES }),
    { name: "Convolution", differs: CAFFE_INITIAL_VALUES },
    { name: "Conv", differs: "`Conv` of Flax pads so that the size stays; here `padding` is 0" },
    {
      name: "convolutional",
      differs: "Darknet's has its padding, its batch normalization and its activation in it",
    },
  ],
  summary: "convolution of an image or a signal",
  documentation: `
Slides \`out\` kernels over the image:
\`y[n, o, i, j] = bias[o] + sum w[o, c, u, v] * x[n, c, i*stride + u*dilation - padding,
j*stride + v*dilation - padding]\`, the sum over the channels \`c\` of \`o\`'s group
and the kernel's rows and columns \`u, v\` (a cross-correlation, as in PyTorch).

- input \`[N, C, H, W]\`, output \`[N, out, OH, OW]\` with
  \`OH = floor((H + padding - dilation*(kernel - 1) - 1) / stride) + 1\`
- a signal \`[N, C, L]\` gives \`[N, out, OL]\`, with one number for each argument: PyTorch's
  \`Conv1d\`
- parameters \`weight [out, C/groups, kernel, kernel]\`, of signals \`[out, C/groups, kernel]\`,
  and \`bias [out]\`

\`groups=2\` splits the channels into two halves that are convolved separately, as in AlexNet's
conv2 (Krizhevsky, Sutskever and Hinton, 2012).
`,
  positional: ["out", "kernel"],
  arguments: {
    out: required(integer({ minimum: 1 }), "number of output channels"),
    kernel: required(pair({ minimum: 1 }), "size of the kernel"),
    stride: withDefault(pair({ minimum: 1 }), [1, 1], "step from one window to the next"),
    padding: withDefault(
      padding(),
      { top: 0, bottom: 0, left: 0, right: 0 },
      "zeros around the image",
    ),
    dilation: withDefault(pair({ minimum: 1 }), [1, 1], "distance between the kernel's elements"),
    groups: withDefault(
      integer({ minimum: 1 }),
      1,
      "groups of channels that are convolved separately",
    ),
    in: optional(
      integer({ minimum: 1 }),
      "expected number of input channels; an error if it differs",
    ),
    ...weightArguments,
  },
  samples: [
    {
      spec: "conv(64, kernel=11, stride=4, padding=2)",
      input: [3, 224, 224],
      output: [64, 55, 55],
    },
    { spec: "conv(8, kernel=3, padding=[0, 1, 0, 1])", input: [3, 8, 8], output: [8, 7, 7] },
    {
      spec: "conv(4, kernel=[3, 1], dilation=2, groups=2, bias=false)",
      input: [2, 9, 6],
      output: [4, 5, 6],
    },
  ],

  infer(input, values, context) {
    const image = requireImage(input, context);
    if (!image) return undefined;
    checkChannels(image.channels, values, context);
    if (!requireFit(image, values, context, swapFixes(values, context))) return undefined;
    warnOfGaps(image, values, context);
    return [BATCH, values.out, ...floorOutput(image, values)];
  },

  lower(input, values, context) {
    const { kernel, stride, padding, dilation, groups, out } = values;
    const inputs = imageShape(input.shape).channels / groups;
    const area = kernel[0] * kernel[1];
    const fans = { fanIn: inputs * area, fanOut: out * area };
    const weight = addWeight([out, inputs, ...kernel], fans, values, context);
    const attributes = { kernel, stride, padding, dilation, groups };
    const { builder, origin } = context;
    const output = builder.add("convolution", [input, weight], attributes, origin);
    if (!values.bias) return output;
    const bias = addBias(out, fans, values, context);
    const expression = add(operand(0), channel(1));
    return builder.add("pointwise", [output, bias], { expression }, origin);
  },

  macs(input, output, { kernel, groups }) {
    const { channels, height, width } = imageShape(output);
    const inputs = imageShape(input).channels / groups;
    return channels * height * width * inputs * kernel[0] * kernel[1];
  },
});

/**
 * A kernel larger than any image, with fewer channels than it has columns: they may have been
 * swapped.
 */
function swapFixes(
  { out, kernel }: { readonly out: number; readonly kernel: Pair },
  context: InferenceContext,
): readonly (Fix | undefined)[] {
  if (kernel[0] !== kernel[1] || kernel[0] <= out) return [];
  const [size] = kernel;
  const title = `write \`${size}\` channels and a kernel of \`${out}\``;
  const first = context.replaceArgument("out", `${size}`, title);
  const second = context.replaceArgument("kernel", `kernel=${out}`, title);
  return first && second ? [{ title, edits: [...first.edits, ...second.edits] }] : [];
}
