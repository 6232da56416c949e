import { CAFFE_INITIAL_VALUES, KERAS_INITIAL_VALUES } from "./foreign-initial-values.js";
import { add, channel, operand } from "../ir/expression.js";
import { each } from "../diagnostics/alias.js";
import type { Pair } from "../ir/graph.js";
import { BATCH, type ImageShape, imageShape, type Shape, sizeText } from "../ir/shape.js";
import { integer, pair } from "../calls/argument-types.js";
import { optional, required, withDefault } from "../calls/signature.js";
import { checkChannels } from "./channels.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireImage } from "./rules.js";
import { addBias, addWeight, weightArguments } from "./weights.js";

/** What decides the size of the result. */
interface TransposedWindows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly output_padding: Pair;
  readonly dilation: Pair;
}

export const convTranspose = defineLayer({
  name: "conv_transpose",
  aliases: [
    ...["ConvTranspose2d", "conv_transpose2d", "deconv", "deconvolution"],
    ...["ConvTranspose1d", "conv_transpose1d"],
    ...each(["Conv2DTranspose", "Conv1DTranspose"], { defaults: KERAS_INITIAL_VALUES }),
    { name: "ConvTranspose", differs: "`ConvTranspose` of Flax multiplies the size by the stride" },
    { name: "Deconvolution", differs: CAFFE_INITIAL_VALUES },
  ],
  summary: "transposed convolution (deconvolution), which enlarges an image",
  documentation: `
Every input pixel adds the kernel, multiplied by its value, to a window of the output. Windows are
\`stride\` pixels apart. This is the gradient of \`conv\` with respect to its input (PyTorch's
ConvTranspose2d; Zeiler et al., "Deconvolutional networks", 2010).

- input \`[N, C, H, W]\`, output \`[N, out, OH, OW]\` with
  \`OH = (H - 1)*stride - 2*padding + dilation*(kernel - 1) + output_padding + 1\`
- a signal \`[N, C, L]\` gives \`[N, out, OL]\`: PyTorch's \`ConvTranspose1d\`
- parameters \`weight [C, out/groups, kernel, kernel]\`, of signals \`[C, out/groups, kernel]\`,
  and \`bias [out]\`

\`conv_transpose(out, kernel=4, stride=2, padding=1)\` doubles height and width. Its kernel is
a multiple of the stride, which avoids checkerboard patterns (Odena, Dumoulin and Olah, 2016).
`,
  positional: ["out", "kernel"],
  arguments: {
    out: required(integer({ minimum: 1 }), "number of output channels"),
    kernel: required(pair({ minimum: 1 }), "size of the kernel"),
    stride: withDefault(pair({ minimum: 1 }), [1, 1], "step from one window to the next"),
    padding: withDefault(pair({ minimum: 0 }), [0, 0], "rows and columns cut off at each side"),
    output_padding: withDefault(
      pair({ minimum: 0 }),
      [0, 0],
      "rows and columns added at the bottom and at the right, less than the stride",
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
      spec: "conv_transpose(8, kernel=4, stride=2, padding=1)",
      input: [16, 7, 7],
      output: [8, 14, 14],
    },
    { spec: "conv_transpose(64, kernel=4)", input: [100, 1, 1], output: [64, 4, 4] },
    {
      spec: "conv_transpose(6, kernel=3, stride=2, padding=1, output_padding=1, groups=2)",
      input: [4, 5, 6],
      output: [6, 10, 12],
    },
  ],

  infer(input, values, context) {
    const image = requireImage(input, context);
    if (!image) return undefined;
    checkChannels(image.channels, values, context);
    if (!checkOutputPadding(values, context)) return undefined;
    const size = transposedSize(image, values);
    if (Math.min(...size) < 1) return reportNothing(image, values, context);
    return [BATCH, values.out, ...size];
  },

  lower(input, values, context) {
    const { kernel, stride, dilation, groups, out } = values;
    const image = imageShape(input.shape);
    const area = kernel[0] * kernel[1];
    // PyTorch counts the fans by the weight's axes, which are in the other order here.
    const fans = { fanIn: (out / groups) * area, fanOut: image.channels * area };
    const weight = addWeight([image.channels, out / groups, ...kernel], fans, values, context);
    const [vertical, horizontal] = values.padding;
    const padding = { top: vertical, bottom: vertical, left: horizontal, right: horizontal };
    const inputShape: Shape = [BATCH, out, ...transposedSize(image, values)];
    const attributes = { kernel, stride, padding, dilation, groups, inputShape };
    const { builder, origin } = context;
    const output = builder.add("convolutionInputGradient", [input, weight], attributes, origin);
    if (!values.bias) return output;
    const bias = addBias(out, fans, values, context);
    const expression = add(operand(0), channel(1));
    return builder.add("pointwise", [output, bias], { expression }, origin);
  },

  macs(input, _, { kernel, groups, out }) {
    const { channels, height, width } = imageShape(input);
    return channels * height * width * (out / groups) * kernel[0] * kernel[1];
  },
});

function transposedSize({ height, width }: ImageShape, windows: TransposedWindows): Pair {
  const along = (size: number, axis: 0 | 1) =>
    (size - 1) * windows.stride[axis] -
    2 * windows.padding[axis] +
    windows.dilation[axis] * (windows.kernel[axis] - 1) +
    windows.output_padding[axis] +
    1;
  return [along(height, 0), along(width, 1)];
}

/** PyTorch's rule: beyond the stride (or the dilation), added rows would be reached by nothing. */
function checkOutputPadding(windows: TransposedWindows, context: InferenceContext): boolean {
  const { output_padding, stride, dilation } = windows;
  const axis = output_padding[0] >= Math.max(stride[0], dilation[0]) ? 0 : 1;
  const [given, below] = [output_padding[axis], Math.max(stride[axis], dilation[axis])];
  if (given < below) return true;
  context.report("NET2032", {
    message:
      `${context.title}: ` +
      `output_padding=${given} must be less than its stride of ${stride[axis]}`,
    at: "output_padding",
    label: `at most ${below - 1}`,
    fixes: [
      context.replaceArgument(
        "output_padding",
        `output_padding=${below - 1}`,
        `write \`output_padding=${below - 1}\``,
      ),
    ],
  });
  return false;
}

function reportNothing(
  image: ImageShape,
  windows: TransposedWindows,
  context: InferenceContext,
): undefined {
  const size = sizeText(image, transposedSize(image, windows));
  const padding = image.isSignal ? windows.padding[1] : windows.padding.join(" and ");
  return context.report("NET2032", {
    message: `${context.title}: padding ${padding} removes all of its ${size} output`,
    at: "padding",
    label: "cuts off everything",
    axis: "space",
  });
}
