import { each } from "../diagnostics/alias.js";
import { BATCH, type ImageShape, imageShape } from "../ir/shape.js";
import type { Pair } from "../ir/graph.js";
import { boolean, choice, pair } from "../calls/argument-types.js";
import { optional, withDefault } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

const images = choice(["nearest", "bilinear", "bicubic"]);
const signals = choice(["nearest", "linear"]);

/** What is bilinear for one row is linear. */
const interpolation: typeof images = {
  ...images,
  onSignal: {
    description: signals.description,
    accepts: signals.accepts,
    read(expression, reader) {
      const mode = signals.read(expression, reader);
      return mode === "linear" ? "bilinear" : mode;
    },
    write: (mode) => (mode === "bilinear" ? "linear" : mode),
  },
};

export const upsample = defineLayer({
  name: "upsample",
  aliases: [
    ...each(["Upsample", "interpolate"], { positional: ["size", "scale", "mode"] }),
    { name: "UpsamplingNearest2d", positional: ["size", "scale"] },
    {
      name: "UpsamplingBilinear2d",
      positional: ["size", "scale"],
      defaults: { mode: "bilinear", align_corners: "true" },
    },
    {
      name: "UpSampling2D",
      defaults: { scale: "2" },
      translates: { size: { name: "scale", note: "`size` of Keras is a scale" } },
    },
    ...each(["resize", "Resize"], {
      differs: "a `resize` is bilinear to a size: `upsample(size=[64, 64], mode=bilinear)`",
    }),
  ],
  summary: "enlarges an image: nearest, bilinear or bicubic",
  documentation: `
Makes an image \`scale\` times as large, or gives it the height and width \`size\`.

- \`mode=nearest\`: an output pixel is the input pixel at its place, \`x[floor(i * H / OH)]\`
- \`mode=bilinear\`: an output pixel is interpolated from four input pixels, as in PyTorch
- \`mode=bicubic\`: from 16 input pixels, by PyTorch's cubic curve, \`a = -0.75\`
- \`align_corners=true\`, of both, aligns the centers of the corner pixels instead of their edges
- input \`[N, C, H, W]\`, output \`[N, C, scale*H, scale*W]\` or \`[N, C, size, size]\`
- a signal \`[N, C, L]\` becomes \`[N, C, scale*L]\`, by \`mode=nearest\` or \`mode=linear\`
`,
  positional: ["scale"],
  arguments: {
    scale: optional(pair({ minimum: 1 }), "factor of height and width"),
    size: optional(pair({ minimum: 1 }), "size of the output, instead of `scale`"),
    mode: withDefault(interpolation, "nearest", "interpolation"),
    align_corners: withDefault(boolean(), false, "whether corner pixels are aligned"),
  },
  samples: [
    { spec: "upsample(2)", input: [8, 7, 5], output: [8, 14, 10] },
    { spec: "upsample(size=[9, 12], mode=bilinear)", input: [3, 4, 5], output: [3, 9, 12] },
    { spec: "upsample(size=[9, 3], mode=bicubic)", input: [3, 4, 5], output: [3, 9, 3] },
  ],

  infer(input, values, context) {
    const image = requireImage(input, context);
    if (!image) return undefined;
    const size = outputSize(image, values);
    if (size) return [BATCH, image.channels, ...size];
    return context.report("NET2034", {
      message:
        `${context.title} needs either \`scale\` ` +
        `or \`size\`${values.scale ? ", not both" : ""}`,
      at: values.size ? "size" : undefined,
      fixes: values.scale ? [context.removeArgument("size", "drop `size`")] : [],
    });
  },

  lower(input, values, { builder, origin }) {
    const size = outputSize(imageShape(input.shape), values)!;
    const { mode, align_corners: alignCorners } = values;
    const attributes = { outputSize: size, mode, alignCorners };
    return builder.add("resample", [input], attributes, origin);
  },
});

interface Sizes {
  readonly scale: Pair | undefined;
  readonly size: Pair | undefined;
}

function outputSize({ height, width }: ImageShape, { scale, size }: Sizes): Pair | undefined {
  if (scale && size) return undefined;
  return scale ? [scale[0] * height, scale[1] * width] : size;
}
