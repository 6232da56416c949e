/**
 * The transforms of a `data` declaration in plain loops, with torchvision's semantics: what happens
 * before images are staged, and the reference of the kernels that do the rest.
 */
import {
  isMixing,
  isPrepared,
  type MixingKind,
  type Transform,
  type TransformOf,
  type UnmixedKind,
} from "../../program/transforms.js";
import { jitterColors, shiftColors } from "./color.js";
import type { ExampleKey, Image } from "./dataset.js";
import { decide, fiveSquares, randomRectangle, resizedSize, type Decisions } from "./decide.js";
import { DataError } from "./error.js";
import { affineImage, cropImage, flipImage, stackImages, toFloats } from "./image.js";
import { randomFor, type ExampleRandom } from "./random.js";
import { resample, resizeImage } from "./resample.js";

/** `image` after all of `transforms`, in order, except those that mix images. */
export function applyTransforms(
  image: Image,
  transforms: readonly Transform[],
  key: ExampleKey,
): Image {
  let current = image;
  for (let position = 0; position < transforms.length; position++) {
    const transform = transforms[position]!;
    if (isMixing(transform)) continue;
    const cropped =
      transform.kind === "resize" &&
      resizeAndCrop(current, transform, transforms[position + 1], randomFor(key, position + 1));
    if (cropped) position++;
    current = cropped || applyTransform(current, transform, randomFor(key, position));
  }
  return current;
}

/**
 * Resizes only what a crop that follows keeps. Undefined where none follows, or where it reaches
 * beyond the image.
 */
function resizeAndCrop(
  image: Image,
  resize: TransformOf<"resize">,
  next: Transform | undefined,
  random: ExampleRandom,
): Image | undefined {
  if (next?.kind !== "center_crop" && next?.kind !== "random_crop") return undefined;
  const to = resizedSize(image, resize);
  const { left, top } = decide(next, to, random) as Decisions<"center_crop">;
  const keep = { left, top, width: next.size, height: next.size };
  const isWithin =
    left >= 0 && top >= 0 && left + next.size <= to.width && top + next.size <= to.height;
  return isWithin ? resample(image, { to, keep }) : undefined;
}

function applyTransform(
  image: Image,
  transform: Exclude<Transform, TransformOf<MixingKind>>,
  random: ExampleRandom,
): Image {
  if (isPrepared(transform)) {
    const apply = appliers[transform.kind] as Applier<UnmixedKind>;
    return apply(image, transform, decide(transform, image, random));
  }
  switch (transform.kind) {
    case "resize":
      return resizeImage(image, resizedSize(image, transform));
    case "ten_crop":
      return tenCrops(image, transform.size);
    case "random_resized_crop":
      return resample(image, {
        from: randomRectangle(image, transform, random),
        to: { width: transform.size, height: transform.size },
      });
  }
}

type Applier<Kind extends UnmixedKind> = (
  image: Image,
  transform: TransformOf<Kind>,
  decisions: Decisions<Kind>,
) => Image;

const appliers: { readonly [Kind in UnmixedKind]: Applier<Kind> } = {
  center_crop: cropAt,
  random_crop: cropAt,
  hflip: (image, _, { flipped }) => (flipped ? flipImage(image, "horizontal") : image),
  vflip: (image, _, { flipped }) => (flipped ? flipImage(image, "vertical") : image),
  normalize,
  color_jitter: (image, _, decisions) => jitterColors(image, decisions),
  pca_noise: (image, _, decisions) => shiftColors(image, decisions),
  random_erasing: erase,
  affine: (image, _, places) => affineImage(image, places),
};

function cropAt(
  image: Image,
  { size }: { readonly size: number },
  { left, top }: { readonly left: number; readonly top: number },
): Image {
  return cropImage(image, { left, top, width: size, height: size });
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
