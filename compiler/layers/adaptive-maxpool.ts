import { BATCH, imageShape } from "../ir/shape.js";
import type { Pair } from "../ir/graph.js";
import { pair } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";

export const adaptiveMaxpool = defineLayer({
  name: "adaptive_maxpool",
  aliases: [
    ...["AdaptiveMaxPool2d", "adaptive_max_pool2d"],
    ...["AdaptiveMaxPool1d", "adaptive_max_pool1d"],
    ...["GlobalMaxPooling2D", "GlobalMaxPool2D", "GlobalMaxPool", "global_maxpool"].map((name) => ({
      name,
      defaults: { size: "1" },
    })),
  ],
  summary: "max pooling to a given output size",
  documentation: `
The largest element of each of \`size\` windows that cover the image, by channel. Windows are those
of \`adaptive_avgpool\`: window \`i\` of \`n\` holds the rows from \`floor(i * H / n)\` up to, not
including, \`ceil((i + 1) * H / n)\`, and the columns alike (PyTorch's rule).

- input \`[N, C, H, W]\`, output \`[N, C, size, size]\`
- \`adaptive_maxpool(1)\` is global max pooling
`,
  positional: ["size"],
  arguments: {
    size: required(pair({ minimum: 1 }), "size of the output"),
  },
  samples: [
    { spec: "adaptive_maxpool(3)", input: [6, 7, 8], output: [6, 3, 3] },
    { spec: "adaptive_maxpool([2, 1])", input: [5, 4, 6], output: [5, 2, 1] },
  ],

  infer(input, { size }, context) {
    const image = requireImage(input, context);
    return image && [BATCH, image.channels, ...size];
  },

  lower(input, { size }, { builder, origin }) {
    const { height, width } = imageShape(input.shape);
    const from: Pair = [height, width];
    const rest = { padding: { top: 0, bottom: 0, left: 0, right: 0 }, relu: false } as const;
    const kernel = [largest(from[0], size[0]), largest(from[1], size[1])] as const;
    const isEven = size.every((count, axis) => from[axis]! % count === 0);
    const windows = isEven
      ? { kernel, stride: kernel }
      : { kernel, stride: [1, 1] as const, outputSize: size };
    return builder.add("maxPool", [input], { ...windows, ...rest }, origin);
  },
});

/** Elements of the largest window along an axis. */
const largest = (size: number, count: number): number =>
  Math.max(
    ...Array.from({ length: count }, (_, index) => {
      return Math.ceil(((index + 1) * size) / count) - Math.floor((index * size) / count);
    }),
  );
