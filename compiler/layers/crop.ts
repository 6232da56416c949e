import { padding, pair } from "../calls/argument-types.js";
import { type ArgumentValues, optional } from "../calls/signature.js";
import type { Padding } from "../ir/graph.js";
import {
  BATCH,
  formatShape,
  imageShape,
  type ImageShape,
  type Shape,
  sizeText,
  stridesOf,
} from "../ir/shape.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireImage } from "./rules.js";

const cropArguments = {
  sides: optional(padding(), "rows and columns to remove, as in `pad`"),
  size: optional(pair({ minimum: 1 }), "size of the output, from the middle of the image"),
};

type CropValues = ArgumentValues<typeof cropArguments>;

export const crop = defineLayer({
  name: "crop",
  aliases: [
    { name: "Cropping2D", positional: ["sides"], differs: "Keras cuts ((top, bottom), ...)" },
    { name: "center_crop", positional: ["size"] },
    { name: "CenterCrop", positional: ["size"] },
  ],
  summary: "an image without its border",
  documentation: `
Cuts off rows and columns: \`crop(1)\` at every side, \`crop([1, 2])\` above and below, left and
right, \`crop([0, 1, 0, 1])\` top, bottom, left and right. \`crop(size=[56, 56])\` keeps the middle:
\`floor((H - 56) / 2)\` rows are removed above.

- input \`[N, C, H, W]\`, output \`[N, C, H - top - bottom, W - left - right]\`
`,
  positional: ["sides"],
  arguments: cropArguments,
  samples: [
    { spec: "crop(1)", input: [3, 8, 8], output: [3, 6, 6] },
    { spec: "crop([0, 1, 2, 0])", input: [3, 8, 8], output: [3, 7, 6] },
    { spec: "crop(size=[4, 5])", input: [3, 8, 8], output: [3, 4, 5] },
  ],

  infer(input, values, context) {
    const image = requireImage(input, context);
    if (!image) return undefined;
    if ((values.sides === undefined) === (values.size === undefined)) return reportBoth(context);
    const sides = sidesOf(image, values);
    const [height, width] = sizeWithin(image, sides);
    if (Math.min(height, width, ...sizesOfSides(sides)) >= 0 && height * width > 0) {
      return [BATCH, image.channels, height, width];
    }
    return reportOutside(input, values, context);
  },

  lower(input, values, { builder, origin }) {
    const image = imageShape(input.shape);
    const sides = sidesOf(image, values);
    const shape = [BATCH, image.channels, ...sizeWithin(image, sides)] as const;
    const start = sides.top * image.width + sides.left;
    const order = { shape, start, strides: stridesOf(input.shape) };
    return builder.add("rearrange", [input], order, origin);
  },
});

function sidesOf({ height, width }: ImageShape, { sides, size }: CropValues): Padding {
  if (sides) return sides;
  const [rows, columns] = [height - size![0], width - size![1]];
  const [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  return { top, bottom: rows - top, left, right: columns - left };
}

const sizeWithin = ({ height, width }: ImageShape, { top, bottom, left, right }: Padding) =>
  [height - top - bottom, width - left - right] as const;

const sizesOfSides = ({ top, bottom, left, right }: Padding) => [top, bottom, left, right];

function reportBoth(context: InferenceContext): undefined {
  return context.report("NET1010", {
    message: `${context.title} needs either the sides to remove or \`size\`, not both`,
    label: "one of them",
  });
}

function reportOutside(input: Shape, { size }: CropValues, context: InferenceContext): undefined {
  const image = imageShape(input);
  const pixels = sizeText(image, [image.height, image.width]);
  const name = size ? "size" : "sides";
  return context.report("NET2035", {
    message: size
      ? `${context.title}: ${sizeText(image, size)} pixels do not fit into ${pixels}`
      : `${context.title} cuts off all of the ${pixels} pixels`,
    at: name,
    label: `of ${formatShape(input)}`,
    axis: "space",
  });
}
