import { absentTransforms } from "./absent.js";
import { each } from "../../diagnostics/alias.js";
import type { Range, Transform } from "../../../program/transforms.js";
import {
  boolean,
  choice,
  float,
  floats,
  integer,
  oddSides,
  sideOrBoth,
  spread,
  valueOr,
  valueOrRange,
} from "../../calls/argument-types.js";
import { optional, required, withDefault } from "../../calls/signature.js";
import { define, type Registry } from "./definition.js";

/** A transform as written; what a choice is between is in the call's parentheses. */
export type TransformRule =
  | Transform
  | { readonly kind: "identity" }
  | { readonly kind: "one_of"; readonly probabilities: readonly number[] | undefined }
  | { readonly kind: "random_apply"; readonly probability: number };

const transform = define<TransformRule>();
const probability = (meaning: string) =>
  withDefault(float({ minimum: 0, maximum: 1 }), 0.5, meaning);
const size = required(integer({ minimum: 1 }), "height and width in pixels");
const sides = required(sideOrBoth({ minimum: 1 }), "pixels of each side, or [height, width]");
const mode = withDefault(
  choice(["bilinear", "bicubic"]),
  "bilinear",
  "how pixels between others are computed, as in Pillow, with antialiasing",
);
const byMode = (mode: "bilinear" | "bicubic") => (mode === "bicubic" ? { mode } : {});

const range = ([low, high]: readonly number[]): Range => [low!, high!];

export const transforms: Registry<TransformRule> = {
  noun: "transform",
  example: "center_crop(224)",
  unknown: "NET3008",
  planned: ["auto_augment"],
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
        mode,
      },
      resolve: ({ size, mode }) => ({ kind: "resize", size, ...byMode(mode) }),
    }),
    transform({
      name: "letterbox",
      example: "letterbox(32)",
      aliases: ["LetterBox", "letter_box", "resize_with_pad", "PadIfNeeded", "LongestMaxSize"],
      summary: "scales images as large as fits, and fills what is left of the size",
      positional: ["size"],
      arguments: {
        size: sides,
        value: withDefault(
          float({ minimum: 0, maximum: 1 }),
          0,
          "value to fill with, in every channel: 0 is black",
        ),
        mode,
      },
      resolve: ({ size, value, mode }) => ({ kind: "letterbox", size, value, ...byMode(mode) }),
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
      summary: "crops a square or a rectangle from the center",
      positional: ["size"],
      arguments: { size: sides },
      resolve: ({ size }) => ({ kind: "center_crop", size }),
    }),
    transform({
      name: "ten_crop",
      example: "ten_crop(32)",
      aliases: ["TenCrop", "tencrop"],
      summary: "crops the corners and the center, also mirrored, and averages the predictions",
      positional: ["size"],
      arguments: { size },
      resolve: ({ size }) => ({ kind: "ten_crop", size }),
    }),
    transform({
      name: "random_crop",
      example: "random_crop(32, padding=4)",
      aliases: ["RandomCrop"],
      summary: "crops a square or a rectangle at a random place",
      positional: ["size"],
      arguments: {
        size: sides,
        padding: withDefault(integer({ minimum: 0 }), 0, "black pixels added on every side before"),
      },
      resolve: ({ size, padding }) => ({ kind: "random_crop", size, padding }),
    }),
    transform({
      name: "random_resized_crop",
      example: "random_resized_crop(32, scale=[0.5, 1])",
      aliases: ["RandomResizedCrop"],
      summary: "crops a rectangle of random area and aspect ratio, and scales it to a size",
      positional: ["size"],
      arguments: {
        size: sides,
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
        mode,
      },
      resolve: ({ size, scale, ratio, mode }) => ({
        kind: "random_resized_crop",
        size,
        scale: range(scale),
        ratio: range(ratio),
        ...byMode(mode),
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
      summary: "flips images horizontally at random",
      positional: ["probability"],
      arguments: {
        probability: probability("share of the images that are flipped"),
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
      summary: "flips images vertically at random",
      positional: ["probability"],
      arguments: { probability: probability("share of the images that are flipped") },
      resolve: ({ probability }) => ({ kind: "vflip", probability }),
    }),
    transform({
      name: "rotation",
      example: "rotation(15)",
      aliases: [
        ...["RandomRotation", "rotate", "random_rotate", "Rotate"],
        { name: "random_rotation", differs: "Keras takes a part of a turn, `rotation` degrees" },
      ],
      summary: "turns images about their middle, by the nearest pixels; corners are black",
      positional: ["degrees"],
      arguments: {
        degrees: required(
          spread({ around: 0, minimum: -180, maximum: 180 }),
          "how far at most, or the smallest and the largest; above 0 is counterclockwise",
        ),
      },
      resolve: ({ degrees: [low, high] }) => ({
        kind: "affine",
        degrees: [-high, -low],
        translate: [0, 0],
        scale: [1, 1],
        shear: [0, 0],
      }),
    }),
    transform({
      name: "affine",
      example: "affine(degrees=10, translate=[0.1, 0.1], scale=[0.9, 1.1], shear=5)",
      aliases: ["RandomAffine", "random_affine", "ShiftScaleRotate"],
      summary:
        "turns, moves, scales and shears images about their middle, by the nearest pixels; what " +
        "comes from outside is black",
      positional: ["degrees"],
      arguments: {
        degrees: withDefault(
          spread({ around: 0, minimum: -180, maximum: 180 }),
          [0, 0],
          "how far at most, or the smallest and the largest; above 0 is clockwise",
        ),
        translate: withDefault(
          floats({ length: 2, minimum: 0, maximum: 1 }),
          [0, 0],
          "largest shifts along columns and rows, as shares of width and height",
        ),
        scale: withDefault(
          floats({ length: 2, minimum: 0.01 }),
          [1, 1],
          "smallest and largest factor of the size",
        ),
        shear: withDefault(
          spread({ around: 0, minimum: -89, maximum: 89 }),
          [0, 0],
          "how far rows are slanted at most, in degrees, or the smallest and the largest",
        ),
      },
      resolve: ({ degrees, translate, scale, shear }) => ({
        kind: "affine",
        degrees,
        translate: [translate[0]!, translate[1]!],
        scale: range(scale),
        shear,
      }),
    }),
    transform({
      name: "perspective",
      example: "perspective(0.3)",
      aliases: ["RandomPerspective", "random_perspective", "Perspective"],
      summary: "moves the corners of images inward, as if seen from the side; the rest is black",
      positional: ["distortion_scale"],
      arguments: {
        distortion_scale: withDefault(
          float({ minimum: 0, maximum: 1 }),
          0.5,
          "how far corners move at most, as a share of half of the image",
        ),
        probability: probability("share of the images"),
      },
      resolve: ({ distortion_scale: distortion, probability }) => ({
        kind: "perspective",
        distortion,
        probability,
      }),
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
          "factor: the largest distance from 1, or [smallest, largest]",
        ),
        contrast: withDefault(
          spread({ around: 1, minimum: 0 }),
          [1, 1],
          "factor, in the same form",
        ),
        saturation: withDefault(
          spread({ around: 1, minimum: 0 }),
          [1, 1],
          "factor, in the same form",
        ),
        hue: withDefault(
          spread({ around: 0, minimum: -0.5, maximum: 0.5 }),
          [0, 0],
          "shift as a share of the hue circle: the largest distance from 0, or [smallest, largest]",
        ),
      },
      resolve: (values) => ({ kind: "color_jitter", ...values }),
    }),
    transform({
      name: "gaussian_blur",
      example: "gaussian_blur(5, sigma=[0.1, 2])",
      aliases: [
        "GaussianBlur",
        ...each(["blur", "Blur"], { differs: "albumentations takes the mean of a square" }),
      ],
      summary: "blurs images by a Gaussian of random width",
      positional: ["kernel"],
      arguments: {
        kernel: required(oddSides(), "pixels that count, on each axis"),
        sigma: withDefault(
          valueOrRange({ above: 0 }),
          [0.1, 2],
          "standard deviation in pixels, or the smallest and the largest",
        ),
      },
      resolve: ({ kernel, sigma }) => ({ kind: "gaussian_blur", kernel, sigma }),
    }),
    transform({
      name: "rand_augment",
      example: "rand_augment(2, 9)",
      aliases: ["RandAugment", "randaugment"],
      summary:
        "does operations to images, drawn from 14, all of one magnitude (arXiv:1909.13719, as in " +
        "torchvision)",
      positional: ["num_ops", "magnitude"],
      arguments: {
        num_ops: withDefault(integer({ minimum: 1, maximum: 16 }), 2, "operations for each image"),
        magnitude: withDefault(
          integer({ minimum: 0, maximum: 30 }),
          9,
          "how strong they are, of 31 steps",
        ),
      },
      resolve: ({ num_ops: operations, magnitude }) => ({
        kind: "rand_augment",
        operations,
        magnitude,
      }),
    }),
    transform({
      name: "trivial_augment",
      example: "trivial_augment",
      aliases: ["TrivialAugmentWide", "TrivialAugment", "trivial_augment_wide"],
      summary:
        "does one operation of any magnitude to each image (arXiv:2103.10158, torchvision's " +
        "TrivialAugmentWide)",
      positional: [],
      arguments: {},
      resolve: () => ({ kind: "trivial_augment" }),
    }),
    transform({
      name: "aug_mix",
      example: "aug_mix(severity=3)",
      aliases: ["AugMix", "augmix"],
      summary:
        "mixes each image with chains of operations on it (arXiv:1912.02781, as in torchvision; " +
        "without the paper's loss)",
      positional: ["severity"],
      arguments: {
        severity: withDefault(
          integer({ minimum: 1, maximum: 10 }),
          3,
          "how strong operations are, of 10 steps",
        ),
        mixture_width: withDefault(integer({ minimum: 1, maximum: 8 }), 3, "chains of an image"),
        chain_depth: optional(
          integer({ minimum: 1, maximum: 8 }),
          "operations of a chain; 1 to 3, drawn for each, if left out",
        ),
        alpha: withDefault(float({ above: 0 }), 1, "parameter of the distribution of weights"),
        all_ops: withDefault(
          boolean(),
          true,
          "whether brightness, contrast, saturation and sharpness are among the operations",
        ),
      },
      resolve: ({ severity, mixture_width, chain_depth, alpha, all_ops }) => ({
        kind: "aug_mix",
        severity,
        chains: mixture_width,
        depth: chain_depth,
        alpha,
        hasAll: all_ops,
      }),
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
      summary: "adds a random color along the principal components of color (AlexNet's PCA noise)",
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
          "of the covariance of colors from 0 to 1; ImageNet's if left out",
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
        ...["RandomErasing", "erasing"],
        ...each(["erase", "cutout", "Cutout"], {
          differs: "Cutout erases a square of every image, `random_erasing` a rectangle of half",
        }),
      ],
      summary: "erases a random rectangle of an image: fills it with one value",
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
        value: withDefault(
          valueOr("random"),
          0,
          "value to fill with, in every channel, or `random`: noise for each number",
        ),
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
      summary: "replaces a rectangle of each image by another image's, and mixes the labels",
      positional: ["alpha"],
      arguments: {
        alpha: withDefault(
          float({ above: 0 }),
          1,
          "parameter of the beta distribution of the mixing ratio",
        ),
      },
      resolve: ({ alpha }) => ({ kind: "cutmix", alpha }),
    }),
    transform({
      name: "mixup",
      example: "mixup(0.2)",
      aliases: ["MixUp", "Mixup", "mix_up"],
      summary: "mixes pairs of images, and their labels, as a weighted mean",
      positional: ["alpha"],
      arguments: {
        alpha: withDefault(
          float({ above: 0 }),
          1,
          "parameter of the beta distribution of the mixing ratio",
        ),
      },
      resolve: ({ alpha }) => ({ kind: "mixup", alpha }),
    }),
    transform({
      name: "mixup_or_cutmix",
      example: "mixup_or_cutmix(mixup=0.2, cutmix=1)",
      aliases: each(["RandomMixup", "mixup_cutmix", "random_mix"], {
        differs: "timm chooses for each batch: `one_of(mixup(0.8), cutmix)`",
      }),
      summary: "does one of `mixup` and `cutmix` to each image",
      positional: [],
      arguments: {
        mixup: withDefault(float({ above: 0 }), 0.8, "`alpha` of `mixup`"),
        cutmix: withDefault(float({ above: 0 }), 1, "`alpha` of `cutmix`"),
        cuts: withDefault(
          float({ minimum: 0, maximum: 1 }),
          0.5,
          "share of the images that `cutmix` takes",
        ),
      },
      resolve: ({ mixup, cutmix, cuts }) => ({
        kind: "mixture",
        each: "image",
        of: [
          { kind: "cutmix", alpha: cutmix, to: cuts },
          { kind: "mixup", alpha: mixup, to: 1 },
        ],
      }),
    }),
    transform({
      name: "one_of",
      example: "one_of(gaussian_blur(3), rotation(15), identity)",
      aliases: [
        ...["RandomChoice", "random_choice", "choice"],
        {
          name: "OneOf",
          differs: "albumentations' `p` is the probability of any: `random_apply(one_of(...))`",
        },
      ],
      summary:
        "does one of the transforms in its parentheses, drawn for each image; one of `mixup` and " +
        "`cutmix` for each batch",
      positional: [],
      arguments: {
        probabilities: optional(
          floats({ minimum: 0, maximum: 1 }),
          "one for each transform, which sum to 1; equal if left out",
        ),
      },
      resolve: ({ probabilities }) => ({ kind: "one_of", probabilities }),
    }),
    transform({
      name: "random_apply",
      example: "random_apply(color_jitter(0.4), gaussian_blur(3), probability=0.8)",
      aliases: ["RandomApply", "Sometimes", "sometimes"],
      summary: "does all of the transforms in its parentheses, or none of them, to each image",
      positional: [],
      arguments: {
        probability: probability("share of the images; of the batches, for `mixup` and `cutmix`"),
      },
      resolve: ({ probability }) => ({ kind: "random_apply", probability }),
    }),
    transform({
      name: "identity",
      example: "one_of(vflip(1), identity, probabilities=[0.1, 0.9])",
      aliases: ["Identity", "noop", "NoOp", "nothing"],
      summary: "leaves images as they are, as one of several in `one_of`",
      positional: [],
      arguments: {},
      resolve: () => ({ kind: "identity" }),
    }),
  ],
};
