import { add, channel, operand } from "../ir/expression.js";
import { BATCH, formatShape, imageShape, type ImageShape, type Shape } from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { optional, required } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireRows } from "./rules.js";
import { tokensOfImage } from "./token-order.js";
import { addBias, addWeight, weightArguments } from "./weights.js";

const NO_PADDING = { top: 0, bottom: 0, left: 0, right: 0 };

export const patches = defineLayer({
  name: "patches",
  aliases: ["PatchEmbed", "PatchEmbedding", "patch_embed", "patch_embedding"],
  summary: "patch embedding: square patches of an image as a sequence, each through a linear layer",
  documentation: `
Cuts the image into patches of \`size\` rows and columns and makes a token of each, row by row
(Dosovitskiy et al., arXiv:2010.11929). It is a convolution with a kernel and a stride of \`size\`,
followed by \`tokens\`; weights are those of the convolution.

- input \`[N, C, H, W]\`, output \`[N, H/size * W/size, out]\`; \`size\` divides both sides
- parameters \`weight [out, C, size, size]\` and \`bias [out]\`

Without \`out\`, a token has as many numbers as its patch: \`patches(16)\` of 3 channels gives 768.
`,
  positional: ["size", "out"],
  arguments: {
    size: required(integer({ minimum: 1 }), "rows and columns of a patch"),
    out: optional(integer({ minimum: 1 }), "channels of a token; those of a patch if left out"),
    ...weightArguments,
  },
  samples: [
    { spec: "patches(16)", input: [3, 224, 224], output: [196, 768] },
    { spec: "patches(2, 10)", input: [3, 4, 6], output: [6, 10] },
  ],

  infer(input, values, context) {
    const image = requireRows(input, context);
    if (!image) return undefined;
    const { size } = values;
    const { height, width } = image;
    if (height % size !== 0 || width % size !== 0) return reportSize(size, input, context);
    return [BATCH, (height / size) * (width / size), channelsOf(image, values)];
  },

  lower(input, values, context) {
    const { builder, origin } = context;
    const image = imageShape(input.shape);
    const out = channelsOf(image, values);
    const kernel = [values.size, values.size] as const;
    const area = values.size ** 2;
    const fans = { fanIn: image.channels * area, fanOut: out * area };
    const weight = addWeight([out, image.channels, ...kernel], fans, values, context);
    const attributes = { kernel, stride: kernel, padding: NO_PADDING } as const;
    const inputs = [input, weight];
    const whole = { ...attributes, dilation: [1, 1], groups: 1 } as const;
    const embedded = builder.add("convolution", inputs, whole, origin);
    if (!values.bias) return tokensOfImage(builder, embedded, origin);
    const bias = addBias(out, fans, values, context);
    const expression = add(operand(0), channel(1));
    const shifted = builder.add("pointwise", [embedded, bias], { expression }, origin);
    return tokensOfImage(builder, shifted, origin);
  },

  macs(input, output, { size }) {
    const { channels, width } = imageShape(output);
    return channels * width * imageShape(input).channels * size * size;
  },
});

const channelsOf = (
  { channels }: ImageShape,
  { size, out }: { readonly size: number; readonly out?: number | undefined },
) => out ?? channels * size * size;

function reportSize(size: number, input: Shape, context: InferenceContext): undefined {
  const { height, width } = imageShape(input);
  const sizes = Array.from({ length: Math.min(height, width) }, (_, index) => index + 1);
  const fits = sizes.filter((each) => height % each === 0 && width % each === 0);
  const nearest = fits.reduce((a, b) => (Math.abs(b - size) < Math.abs(a - size) ? b : a));
  const inputs = context.inputsWhere((shape) => {
    const image = imageShape(shape);
    return image.height % size === 0 && image.width % size === 0;
  });
  return context.report("NET2026", {
    message:
      `${context.title}: patches of ${size}x${size} do not fill ` +
      `the ${height}x${width} pixels of ${formatShape(input)}`,
    at: "size",
    label: `leaves ${height % size} rows and ${width % size} columns over`,
    axis: "space",
    notes: inputs ? [`${inputs} would be filled`] : [],
    fixes: [context.replaceArgument("size", `${nearest}`, `write \`${nearest}\``)],
  });
}
