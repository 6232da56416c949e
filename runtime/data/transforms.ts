/**
 * The transforms of a `data` declaration, with torchvision's semantics. Random ones draw from a generator keyed by seed,
 * epoch and example (random.ts).
 */
import type { Transform } from "../../program/recipe.js";
import type { Image } from "./dataset.js";
import { DataError } from "./error.js";
import { cropImage, flipImage } from "./image.js";
import type { Rectangle } from "./image.js";
import { ExampleRandom } from "./random.js";
import { resizeImage } from "./resample.js";

/** What identifies an example's random decisions. */
export interface ExampleKey {
  readonly seed: number;
  readonly epoch: number;
  /** Index in the dataset. */
  readonly example: number;
}

/** `image` after all of `transforms`, in order. */
export function applyTransforms(
  image: Image,
  transforms: readonly Transform[],
  key: ExampleKey,
): Image {
  return transforms.reduce((current, transform, position) => {
    const random = new ExampleRandom(key.seed, key.epoch, key.example, position);
    return applyTransform(current, transform, random);
  }, image);
}

function applyTransform(image: Image, transform: Transform, random: ExampleRandom): Image {
  switch (transform.kind) {
    case "resize":
      return resizeImage(image, shorterSideSize(image, transform.size));
    case "center_crop":
      return cropImage(image, centralSquare(image, transform.size));
    case "random_crop":
      return cropImage(image, randomSquare(image, transform, random));
    case "random_resized_crop":
      return resizeImage(cropImage(image, randomRectangle(image, transform, random)), {
        width: transform.size,
        height: transform.size,
      });
    case "hflip":
      return random.unit() < transform.probability ? flipImage(image) : image;
    case "normalize":
      return normalize(image, transform);
  }
}

/** The shorter side becomes `size`, the longer one follows, rounded down. */
function shorterSideSize(image: Image, size: number): { width: number; height: number } {
  const { width, height } = image;
  return width <= height
    ? { width: size, height: Math.floor((size * height) / width) }
    : { width: Math.floor((size * width) / height), height: size };
}

/** The middle; a smaller image is surrounded by zeros. */
function centralSquare(image: Image, size: number): Rectangle {
  return {
    left: roundHalfToEven((image.width - size) / 2),
    top: roundHalfToEven((image.height - size) / 2),
    width: size,
    height: size,
  };
}

/** Python's rounding, on which torchvision's crops rest. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function randomSquare(
  image: Image,
  { size, padding }: { readonly size: number; readonly padding: number },
  random: ExampleRandom,
): Rectangle {
  const freeHeight = image.height + 2 * padding - size;
  const freeWidth = image.width + 2 * padding - size;
  if (freeHeight < 0 || freeWidth < 0) {
    throw new DataError(
      `random_crop(${size}, padding=${padding}) met an image of ${image.width}x${image.height} (width x height), too small for it`,
      `put \`resize(${size})\` before it`,
    );
  }
  const top = random.below(freeHeight + 1) - padding;
  const left = random.below(freeWidth + 1) - padding;
  return { left, top, width: size, height: size };
}

interface ResizedCrop {
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
}

const RESIZED_CROP_ATTEMPTS = 10;

/** A rectangle of random area and aspect ratio (Szegedy et al. 2015), sampled as torchvision does. */
function randomRectangle(image: Image, crop: ResizedCrop, random: ExampleRandom): Rectangle {
  const [lowest, highest] = crop.ratio.map(Math.log) as [number, number];
  for (let attempt = 0; attempt < RESIZED_CROP_ATTEMPTS; attempt++) {
    const area = image.width * image.height * random.between(...crop.scale);
    const ratio = Math.exp(random.between(lowest, highest));
    const width = roundHalfToEven(Math.sqrt(area * ratio));
    const height = roundHalfToEven(Math.sqrt(area / ratio));
    if (width > 0 && width <= image.width && height > 0 && height <= image.height) {
      const top = random.below(image.height - height + 1);
      const left = random.below(image.width - width + 1);
      return { left, top, width, height };
    }
  }
  return largestCentral(image, crop.ratio);
}

/** The largest central rectangle whose aspect ratio is allowed. */
function largestCentral(image: Image, [lowest, highest]: readonly [number, number]): Rectangle {
  const ratio = image.width / image.height;
  let { width, height } = image;
  if (ratio < lowest) height = Math.min(height, roundHalfToEven(width / lowest));
  else if (ratio > highest) width = Math.min(width, roundHalfToEven(height * highest));
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  return { left, top, width, height };
}

/** (value - mean) / std for each channel, values 0..1 before. */
function normalize(
  image: Image,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): Image {
  const { channels, pixels, maximum } = image;
  if (mean.length !== channels || std.length !== channels) {
    throw new DataError(
      `normalize has ${mean.length} means and ${std.length} standard deviations, but the images have ${channels} channels`,
      `give one mean and one standard deviation for each channel`,
    );
  }
  const result = new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const scale = 1 / (maximum * std[channel]!);
    const shift = mean[channel]! / std[channel]!;
    for (let index = channel; index < pixels.length; index += channels) {
      result[index] = pixels[index]! * scale - shift;
    }
  }
  return { ...image, pixels: result, maximum: 1 };
}
