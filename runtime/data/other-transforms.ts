/**
 * Transforms other than resizing and cropping, in plain loops. scripts/build.mjs leaves this file
 * out of the runtime of standalone modules that only predict and whose eval transforms have none.
 */
import { sidesOf, type TransformOf, type UnmixedKind } from "../../program/transforms.js";
import { threefry, toUnit } from "../../program/random.js";
import { blur } from "./blur.js";
import { jitterColors, shiftColors } from "./color.js";
import type { Image } from "./dataset.js";
import { centralCrop, resizedSize, type Decisions, type Size } from "./decide.js";
import { randomRectangle } from "./decide-drawn.js";
import { DataError } from "./error.js";
import {
  affineImage,
  blankImage,
  cropImage,
  cropAt,
  flipImage,
  stackImages,
  toFloats,
  type Rectangle,
} from "./image.js";
import type { ExampleRandom } from "./random.js";
import { resample, type FilterShape } from "./resample.js";

export type Applier<Kind extends UnmixedKind> = (
  image: Image,
  transform: TransformOf<Kind>,
  decisions: Decisions<Kind>,
) => Image;

/** All but `center_crop`, which transforms.ts has. */
export const OTHER_APPLIERS: {
  readonly [Kind in Exclude<UnmixedKind, "center_crop">]: Applier<Kind>;
} = {
  random_crop: cropAt,
  hflip: (image, _, { flipped }) => (flipped ? flipImage(image, "horizontal") : image),
  vflip: (image, _, { flipped }) => (flipped ? flipImage(image, "vertical") : image),
  normalize,
  color_jitter: (image, _, decisions) => jitterColors(image, decisions),
  pca_noise: (image, _, decisions) => shiftColors(image, decisions),
  random_erasing: erase,
  affine: (image, _, places) => affineImage(image, places),
};

/** What happens only in loops: what makes other sizes of images, and what needs neighbors. */
export function inLoops(
  image: Image,
  transform: TransformOf<
    "resize" | "letterbox" | "ten_crop" | "random_resized_crop" | "gaussian_blur"
  >,
  random: ExampleRandom,
): Image {
  switch (transform.kind) {
    case "resize":
      return resample(image, { to: resizedSize(image, transform), shape: shapeOf(transform) });
    case "letterbox":
      return letterbox(image, transform);
    case "ten_crop":
      return tenCrops(image, transform.size);
    case "gaussian_blur":
      return blur(image, transform, random);
    case "random_resized_crop":
      return resample(image, {
        from: randomRectangle(image, transform, random),
        to: sidesOf(transform.size),
        shape: shapeOf(transform),
      });
  }
}

/** Keys, "Cubic convolution interpolation", 1981, with a = -1/2 as Pillow has it. */
function cubic(distance: number): number {
  if (distance >= 2) return 0;
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return (((distance - 5) * distance + 8) * distance - 4) * -0.5;
}

const shapeOf = ({ mode }: { readonly mode?: "bicubic" }): FilterShape | undefined =>
  mode && { weigh: cubic, reach: 2 };

/** As large as fits, in the middle of pixels of one value. */
function letterbox(image: Image, transform: TransformOf<"letterbox">): Image {
  const into = sidesOf(transform.size);
  const inner = resample(image, { to: fittedSize(image, into), shape: shapeOf(transform) });
  const result = blankImage(inner, into.width, into.height);
  result.pixels.fill(Math.round(transform.value * 255) * (image.maximum / 255));
  const { left, top, ...own } = placeWithin(inner, into);
  for (let row = 0; row < own.height; row++) {
    const length = own.width * image.channels;
    const source = inner.pixels.subarray(row * length, (row + 1) * length);
    result.pixels.set(source, ((top + row) * into.width + left) * image.channels);
  }
  return result;
}

/** What `letterbox` makes of a size before it adds pixels: as large as fits. */
export function fittedSize({ width, height }: Size, into: Size): Size {
  const scale = Math.min(into.width / width, into.height / height);
  const fitted = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: fitted(width), height: fitted(height) };
}

/** Where the middle of a larger size is. */
export function placeWithin({ width, height }: Size, into: Size): Rectangle {
  const left = Math.floor((into.width - width) / 2);
  return { left, top: Math.floor((into.height - height) / 2), width, height };
}

/**
 * The four corners and the middle, in torchvision's order. Throws a DataError where the image is
 * smaller than a crop.
 */
function fiveSquares(image: Size, size: number): Rectangle[] {
  if (image.width < size || image.height < size) {
    throw new DataError(
      `ten_crop(${size}) met an image of ${image.width}x${image.height} ` +
        "(width x height), too small for it",
      `put \`resize(${size})\` before it, or resize to more`,
    );
  }
  const square = { width: size, height: size };
  const [right, bottom] = [image.width - size, image.height - size];
  return [
    { left: 0, top: 0, ...square },
    { left: right, top: 0, ...square },
    { left: 0, top: bottom, ...square },
    { left: right, top: bottom, ...square },
    centralCrop(image, square),
  ];
}

/** Five crops, and the same five of the mirrored image, in torchvision's order. */
function tenCrops(image: Image, size: number): Image {
  const squares = fiveSquares(image, size);
  const both = [image, flipImage(image, "horizontal")];
  return stackImages(both.flatMap((each) => squares.map((area) => cropImage(each, area))));
}

/** (value - mean) / std for each channel, values 0..1 before. */
function normalize(image: Image, { mean, std }: TransformOf<"normalize">): Image {
  const { channels, pixels, maximum } = image;
  if (mean.length !== channels || std.length !== channels) {
    throw new DataError(
      `normalize has ${mean.length} means and ${std.length} standard deviations, ` +
        `but the images have ${channels} channels`,
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

function erase(
  image: Image,
  { value }: TransformOf<"random_erasing">,
  { left, top, width, height, noise }: Decisions<"random_erasing">,
): Image {
  if (width === 0) return image;
  const floats = toFloats(image);
  const pixels = floats.pixels.slice();
  const { channels } = image;
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const values = value === "random" ? noiseAt(noise, x, y) : [value, value, value];
      pixels.set(values.slice(0, channels), (y * image.width + x) * channels);
    }
  }
  return { ...floats, pixels };
}

/** Three normal numbers for a place of an image, by Box and Muller's method, as in the kernels. */
function noiseAt(seed: number, x: number, y: number): readonly number[] {
  return [0, 1].flatMap((part) => {
    const [first, second] = threefry(seed, part, x, y);
    const length = Math.sqrt(-2 * Math.log(1 - toUnit(first)));
    const turn = 2 * Math.PI * toUnit(second);
    return [length * Math.cos(turn), length * Math.sin(turn)];
  });
}
