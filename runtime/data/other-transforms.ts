/**
 * Transforms other than resizing and cropping, in plain loops. scripts/build.mjs leaves this file
 * out of the runtime of standalone modules that only predict and whose eval transforms have none.
 */
import type { TransformOf, UnmixedKind } from "../../program/transforms.js";
import { jitterColors, shiftColors } from "./color.js";
import type { Image } from "./dataset.js";
import { centralSquare, type Decisions, type Size } from "./decide.js";
import { randomRectangle } from "./decide-drawn.js";
import { DataError } from "./error.js";
import {
  affineImage,
  cropImage,
  cropSquare,
  flipImage,
  stackImages,
  toFloats,
  type Rectangle,
} from "./image.js";
import type { ExampleRandom } from "./random.js";
import { resample } from "./resample.js";

export type Applier<Kind extends UnmixedKind> = (
  image: Image,
  transform: TransformOf<Kind>,
  decisions: Decisions<Kind>,
) => Image;

/** All but `center_crop`, which transforms.ts has. */
export const OTHER_APPLIERS: {
  readonly [Kind in Exclude<UnmixedKind, "center_crop">]: Applier<Kind>;
} = {
  random_crop: cropSquare,
  hflip: (image, _, { flipped }) => (flipped ? flipImage(image, "horizontal") : image),
  vflip: (image, _, { flipped }) => (flipped ? flipImage(image, "vertical") : image),
  normalize,
  color_jitter: (image, _, decisions) => jitterColors(image, decisions),
  pca_noise: (image, _, decisions) => shiftColors(image, decisions),
  random_erasing: erase,
  affine: (image, _, places) => affineImage(image, places),
};

/** What makes other sizes of images, and only in loops. */
export function resized(
  image: Image,
  transform: TransformOf<"ten_crop" | "random_resized_crop">,
  random: ExampleRandom,
): Image {
  const { size } = transform;
  if (transform.kind === "ten_crop") return tenCrops(image, size);
  const from = randomRectangle(image, transform, random);
  return resample(image, { from, to: { width: size, height: size } });
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
    centralSquare(image, size),
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
  { left, top, width, height }: Decisions<"random_erasing">,
): Image {
  if (width === 0) return image;
  const floats = toFloats(image);
  const pixels = floats.pixels.slice();
  const { channels } = image;
  for (let y = top; y < top + height; y++) {
    const start = (y * image.width + left) * channels;
    pixels.fill(value, start, start + width * channels);
  }
  return { ...floats, pixels };
}
