import { integer } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { reportDivisor } from "./divisors.js";
import { defineLayer } from "./layer.js";
import { requireRows } from "./rules.js";

export const pixelUnshuffle = defineLayer({
  name: "pixel_unshuffle",
  aliases: [
    "PixelUnshuffle",
    { name: "space_to_depth", differs: "TensorFlow and ONNX order the channels otherwise" },
  ],
  summary: "pixels become channels: a smaller image of more channels",
  documentation: `
A square of \`factor\` rows and columns becomes \`factor^2\` channels, the inverse of
\`pixel_shuffle\`: \`y[c * r^2 + i * r + j, h, w] = x[c, h * r + i, w * r + j]\`, \`r\` being the
factor.

- input \`[N, C, H, W]\`, output \`[N, C * r^2, H / r, W / r]\`; \`factor\` divides both sides
`,
  positional: ["factor"],
  arguments: {
    factor: required(integer({ minimum: 1 }), "how many times as small"),
  },
  samples: [{ spec: "pixel_unshuffle(2)", input: [3, 8, 10], output: [12, 4, 5] }],

  infer(input, { factor }, context) {
    const image = requireRows(input, context);
    if (!image) return undefined;
    const { channels, height, width } = image;
    if (height % factor === 0 && width % factor === 0) {
      return [BATCH, channels * factor ** 2, height / factor, width / factor];
    }
    return reportDivisor(context, {
      message:
        `${context.title}: factor=${factor} does not divide ` +
        `the ${height}x${width} pixels of ${formatShape(input)}`,
      argument: "factor",
      given: factor,
      of: [height, width],
      axis: "space",
    });
  },

  lower(input, { factor }, { builder, origin }) {
    const { channels, height, width } = imageShape(input.shape);
    const [rows, columns] = [height / factor, width / factor];
    const order = {
      shape: [BATCH, channels * factor ** 2, rows, columns] as const,
      start: 0,
      sizes: [channels, factor, factor, rows, columns],
      strides: [height * width, width, 1, factor * width, factor],
    };
    return builder.add("rearrange", [input], order, origin);
  },
});
