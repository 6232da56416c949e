import { absentTransforms } from "./absent.js";
import { each } from "../../diagnostics/alias.js";
import type { Range, Transform } from "../../../program/transforms.js";
import { float, floats, integer, sideOrBoth, spread } from "../../calls/argument-types.js";
import { required, withDefault } from "../../calls/signature.js";
import { define, type Registry } from "./definition.js";

const transform = define<Transform>();
const probability = (meaning: string) =>
  withDefault(float({ minimum: 0, maximum: 1 }), 0.5, meaning);
const size = required(integer({ minimum: 1 }), "height and width in pixels");

const range = ([low, high]: readonly number[]): Range => [low!, high!];

export const transforms: Registry<Transform> = {
  noun: "transform",
  example: "center_crop(224)",
  unknown: "NET3008",
  planned: ["rotate", "gaussian_blur", "rand_augment"],
  absent: absentTransforms,
  definitions: [
    transform({
      name: "resize",
      example: "resize(40) -> center_crop(32)",
      aliases: [
        "Resize",
        { name: "scale", differs: "`resize` scales to a number of pixels, not by a factor" },
      ],
      summary: "scales the shorter side to a size, or both sides",
      positional: ["size"],
      arguments: {
        size: required(
          sideOrBoth({ minimum: 1 }),
          "pixels of the shorter side, or [height, width], which may change the shape",
        ),
      },
      resolve: ({ size }) => ({ kind: "resize", size }),
    }),
    transform({
      name: "center_crop",
      example: "center_crop(32)",
      aliases: [
        ...["CenterCrop", "centre_crop"],
        {
          name: "crop",
          differs: "`center_crop` cuts from the middle, `random_crop` from anywhere",
        },
      ],
      summary: "cuts a square from the middle",
      positional: ["size"],
      arguments: { size },
      resolve: ({ size }) => ({ kind: "center_crop", size }),
    }),
    transform({
      name: "ten_crop",
      example: "ten_crop(32)",
      aliases: ["TenCrop", "tencrop"],
      summary:
        "cuts squares from the corners and the middle, and mirrors them: predictions are averaged",
      positional: ["size"],
      arguments: { size },
      resolve: ({ size }) => ({ kind: "ten_crop", size }),
    }),
    transform({
      name: "random_crop",
      example: "random_crop(32, padding=4)",
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
      example: "random_resized_crop(32, scale=[0.5, 1])",
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
        scale: range(scale),
        ratio: range(ratio),
      }),
    }),
    transform({
      name: "hflip",
      example: "hflip(0.5)",
      aliases: [
        "RandomHorizontalFlip",
        ...each(["flip", "horizontal_flip", "fliplr", "mirror"], {
          differs: "`hflip` mirrors half of the images unless told, for instance `hflip(1)`",
        }),
      ],
      summary: "mirrors some of the images",
      positional: ["probability"],
      arguments: {
        probability: probability("share that is mirrored"),
      },
      resolve: ({ probability }) => ({ kind: "hflip", probability }),
    }),
    transform({
      name: "vflip",
      example: "vflip(0.5)",
      aliases: [
        "RandomVerticalFlip",
        ...each(["vertical_flip", "flipud"], {
          differs: "`vflip` mirrors half of the images unless told, for instance `vflip(1)`",
        }),
      ],
      summary: "turns some of the images upside down, by mirroring",
      positional: ["probability"],
      arguments: { probability: probability("share that is mirrored") },
      resolve: ({ probability }) => ({ kind: "vflip", probability }),
    }),
    transform({
      name: "color_jitter",
      example: "color_jitter(brightness=0.2, hue=0.05)",
      aliases: [
        ...["ColorJitter", "colour_jitter", "jitter"],
        ...["brightness", "contrast", "saturation", "hue"].map((name) => ({
          name,
          positional: [name],
        })),
      ],
      summary: "changes brightness, contrast, saturation and hue, in random order",
      positional: ["brightness", "contrast", "saturation", "hue"],
      arguments: {
        brightness: withDefault(
          spread({ around: 1, minimum: 0 }),
          [1, 1],
          "of its factor: how far from 1 it may be, or the smallest and the largest",
        ),
        contrast: withDefault(spread({ around: 1, minimum: 0 }), [1, 1], "of its factor, alike"),
        saturation: withDefault(spread({ around: 1, minimum: 0 }), [1, 1], "of its factor, alike"),
        hue: withDefault(
          spread({ around: 0, minimum: -0.5, maximum: 0.5 }),
          [0, 0],
          "of its shift, as a part of the circle of hues, alike around 0",
        ),
      },
      resolve: (values) => ({ kind: "color_jitter", ...values }),
    }),
    transform({
      name: "pca_noise",
      example: "pca_noise(0.1)",
      aliases: [
        ...["Lighting", "lighting", "PCANoise", "color_noise"],
        ...each(["FancyPCA", "fancy_pca"], {
          differs: "albumentations takes the components of each image, `pca_noise` ImageNet's",
        }),
      ],
      summary: "adds a color drawn along the main directions in which colors vary",
      positional: ["sigma"],
      arguments: {
        sigma: withDefault(
          float({ minimum: 0 }),
          0.1,
          "standard deviation of each component's share",
        ),
        eigenvalues: withDefault(
          floats({ length: 3, minimum: 0 }),
          [0.2175, 0.0188, 0.0045],
          "of the covariance of the colors in 0..1; ImageNet's unless given",
        ),
        eigenvectors: withDefault(
          floats({ length: 9 }),
          [-0.5675, 0.7192, 0.4009, -0.5808, -0.0045, -0.814, -0.5836, -0.6948, 0.4203],
          "a row for each channel, a column for each component, row after row",
        ),
      },
      resolve: (values) => ({ kind: "pca_noise", ...values }),
    }),
    transform({
      name: "random_erasing",
      example: "random_erasing(0.25)",
      aliases: [
        "RandomErasing",
        ...each(["erase", "cutout", "Cutout"], {
          differs: "Cutout erases a square of every image, `random_erasing` a rectangle of half",
        }),
      ],
      summary: "fills a rectangle of some of the images with one value",
      positional: ["probability"],
      arguments: {
        probability: probability("share of the images"),
        scale: withDefault(
          floats({ length: 2, above: 0, maximum: 1 }),
          [0.02, 0.33],
          "smallest and largest share of the image's area",
        ),
        ratio: withDefault(
          floats({ length: 2, above: 0 }),
          [0.3, 3.3],
          "smallest and largest ratio of height to width",
        ),
        value: withDefault(float(), 0, "what it is filled with, in every channel"),
      },
      resolve: ({ probability, scale, ratio, value }) => ({
        kind: "random_erasing",
        probability,
        scale: range(scale),
        ratio: range(ratio),
        value,
      }),
    }),
    transform({
      name: "normalize",
      example: "normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])",
      aliases: [
        ...["Normalize", "normalise"],
        {
          name: "standardize",
          differs: "`normalize` takes fixed means and deviations, not those of each image",
        },
      ],
      summary: "subtracts a mean from each channel and divides by a deviation",
      positional: [],
      arguments: {
        mean: required(floats(), "one mean per channel, of pixels in 0..1"),
        std: required(floats({ above: 0 }), "one standard deviation per channel"),
      },
      resolve: ({ mean, std }) => ({ kind: "normalize", mean, std }),
    }),
    transform({
      name: "cutmix",
      example: "cutmix(1)",
      aliases: ["CutMix"],
      summary:
        "takes a rectangle of each image, and its label's share, from another one of the batch",
      positional: ["alpha"],
      arguments: {
        alpha: withDefault(float({ above: 0 }), 1, "shares come from the beta distribution of it"),
      },
      resolve: ({ alpha }) => ({ kind: "cutmix", alpha }),
    }),
    transform({
      name: "mixup",
      example: "mixup(0.2)",
      aliases: ["MixUp", "Mixup", "mix_up"],
      summary: "makes each image, and its label, the weighted mean of two of the batch",
      positional: ["alpha"],
      arguments: {
        alpha: withDefault(float({ above: 0 }), 1, "shares come from the beta distribution of it"),
      },
      resolve: ({ alpha }) => ({ kind: "mixup", alpha }),
    }),
  ],
};
