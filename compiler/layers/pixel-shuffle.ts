import { integer } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { reportDivisor } from "./divisors.js";
import { defineLayer } from "./layer.js";
import { requireRows } from "./rules.js";

export const pixelShuffle = defineLayer({
  name: "pixel_shuffle",
  aliases: [
    "PixelShuffle",
    { name: "depth_to_space", differs: "TensorFlow and ONNX's default take channels last" },
  ],
  summary: "channels become pixels: a larger image of fewer channels",
  documentation: `
\`factor^2\` channels become a square of \`factor\` rows and columns (Shi et al., arXiv:1609.05158):
\`y[c, h * r + i, w * r + j] = x[c * r^2 + i * r + j, h, w]\`, \`r\` being the factor.

- input \`[N, C * r^2, H, W]\`, output \`[N, C, r * H, r * W]\`
`,
  positional: ["factor"],
  arguments: {
    factor: required(integer({ minimum: 1 }), "how many times as large"),
  },
  samples: [{ spec: "pixel_shuffle(2)", input: [12, 4, 5], output: [3, 8, 10] }],

  infer(input, { factor }, context) {
    const image = requireRows(input, context);
    if (!image) return undefined;
    const { channels, height, width } = image;
    const square = factor ** 2;
    if (channels % square === 0) {
      return [BATCH, channels / square, factor * height, factor * width];
    }
    return reportDivisor(context, {
      message:
        `${context.title}: factor=${factor} needs a multiple of ${square} channels ` +
        `but receives ${formatShape(input)}`,
      argument: "factor",
      given: factor,
      of: [channels],
      divides: (value) => value ** 2,
      axis: "channels",
      notes: [`for ${factor} times the size, the layer before it gives C * ${square} channels`],
    });
  },

  lower(input, { factor }, { builder, origin }) {
    const { channels, height, width } = imageShape(input.shape);
    const pixels = height * width;
    const square = factor ** 2;
    const order = {
      shape: [BATCH, channels / square, factor * height, factor * width] as const,
      start: 0,
      sizes: [channels / square, height, factor, width, factor],
      strides: [square * pixels, width, factor * pixels, 1, pixels],
    };
    return builder.add("rearrange", [input], order, origin);
  },
});
