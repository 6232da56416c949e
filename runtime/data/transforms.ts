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
import type { ExampleKey, Image } from "./dataset.js";
import { decide, resizedSize, type Decisions } from "./decide.js";
import { cropSquare } from "./image.js";
import { OTHER_APPLIERS, resized, type Applier } from "./other-transforms.js";
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
  return transform.kind === "resize"
    ? resizeImage(image, resizedSize(image, transform))
    : resized(image, transform, random);
}

const appliers: { readonly [Kind in UnmixedKind]: Applier<Kind> } = {
  center_crop: cropSquare,
  ...OTHER_APPLIERS,
};
