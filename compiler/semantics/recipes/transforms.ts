import type { Transform } from "../../../program/recipe.js";
import { float, floats, integer } from "../argument-types.js";
import { required, withDefault } from "../signature.js";
import { define, type Registry } from "./definition.js";

const transform = define<Transform>();
const size = required(integer({ minimum: 1 }), "height and width in pixels");

export const transforms: Registry<Transform> = {
  noun: "transform",
  unknown: "NET3008",
  planned: ["color_jitter", "brightness", "contrast", "rotate", "vflip", "pca_noise"],
  definitions: [
    transform({
      name: "resize",
      aliases: ["Resize", "scale"],
      summary: "scales the shorter side to a size",
      positional: ["size"],
      arguments: { size: required(integer({ minimum: 1 }), "pixels of the shorter side") },
      resolve: ({ size }) => ({ kind: "resize", size }),
    }),
    transform({
      name: "center_crop",
      aliases: ["CenterCrop", "centre_crop", "crop"],
      summary: "cuts a square from the middle",
      positional: ["size"],
      arguments: { size },
      resolve: ({ size }) => ({ kind: "center_crop", size }),
    }),
    transform({
      name: "random_crop",
      aliases: ["RandomCrop"],
      summary: "cuts a square from anywhere",
      positional: ["size"],
      arguments: {
        size,
        padding: withDefault(integer({ minimum: 0 }), 0, "black pixels added on every side before"),
      },
      resolve: ({ size, padding }) => ({ kind: "random_crop", size, padding }),
    }),
    transform({
      name: "random_resized_crop",
      aliases: ["RandomResizedCrop"],
      summary: "cuts a rectangle of random area and shape, and scales it to a square",
      positional: ["size"],
      arguments: {
        size,
        scale: withDefault(
          floats({ length: 2, above: 0, maximum: 1 }),
          [0.08, 1],
          "smallest and largest share of the image's area",
        ),
        ratio: withDefault(
          floats({ length: 2, above: 0 }),
          [3 / 4, 4 / 3],
          "smallest and largest ratio of width to height",
        ),
      },
      resolve: ({ size, scale, ratio }) => ({
        kind: "random_resized_crop",
        size,
        scale: [scale[0]!, scale[1]!],
        ratio: [ratio[0]!, ratio[1]!],
      }),
    }),
    transform({
      name: "hflip",
      aliases: ["RandomHorizontalFlip", "flip", "horizontal_flip", "fliplr", "mirror"],
      summary: "mirrors some of the images",
      positional: ["probability"],
      arguments: {
        probability: withDefault(float({ minimum: 0, maximum: 1 }), 0.5, "share that is mirrored"),
      },
      resolve: ({ probability }) => ({ kind: "hflip", probability }),
    }),
    transform({
      name: "normalize",
      aliases: ["Normalize", "normalise", "standardize"],
      summary: "subtracts a mean from each channel and divides by a deviation",
      positional: [],
      arguments: {
        mean: required(floats(), "one mean per channel, of pixels in 0..1"),
        std: required(floats({ above: 0 }), "one standard deviation per channel"),
      },
      resolve: ({ mean, std }) => ({ kind: "normalize", mean, std }),
    }),
  ],
};
