/**
 * The transforms of a `data` declaration in plain loops, with torchvision's semantics: what happens
 * before images are staged, and the reference of the kernels that do the rest.
 */
import {
  isAugmenting,
  isMixing,
  isPrepared,
  sidesOf,
  type AugmentingKind,
  type MixingKind,
  type Transform,
  type TransformOf,
  type UnmixedKind,
} from "../../program/transforms.js";
import type { ExampleKey, Image } from "./dataset.js";
import { decide, resizedSize, type Decisions } from "./decide.js";
import { cropAt } from "./image.js";
import { inLoops, OTHER_APPLIERS, type Applier } from "./other-transforms.js";
import { randomFor, type ExampleRandom } from "./random.js";
import { resample, resizeImage } from "./resample.js";

/** What training alone does to an image: `applyTransforms` of apply.ts has it. */
export type Augment = (
  image: Image,
  transform: TransformOf<AugmentingKind>,
  random: ExampleRandom,
) => Image;

/** `image` after all of `transforms`, in order, except those that mix images. */
export function applyPlainly(
  image: Image,
  transforms: readonly Transform[],
  key: ExampleKey,
  augment?: Augment,
): Image {
  let current = image;
  for (let position = 0; position < transforms.length; position++) {
    const transform = transforms[position]!;
    if (isMixing(transform)) continue;
    const cropped =
      transform.kind === "resize" &&
      resizeAndCrop(current, transform, transforms[position + 1], randomFor(key, position + 1));
    if (cropped) position++;
    const random = randomFor(key, position);
    if (cropped) current = cropped;
    // The compiler allows them in train splits alone.
    else if (isAugmenting(transform)) current = augment!(current, transform, random);
    else current = applyTransform(current, transform, random);
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
  if (resize.mode || (next?.kind !== "center_crop" && next?.kind !== "random_crop"))
    return undefined;
  const to = resizedSize(image, resize);
  const { left, top } = decide(next, to, random) as Decisions<"center_crop">;
  const { width, height } = sidesOf(next.size);
  const keep = { left, top, width, height };
  const isWithin = left >= 0 && top >= 0 && left + width <= to.width && top + height <= to.height;
  return isWithin ? resample(image, { to, keep }) : undefined;
}

function applyTransform(
  image: Image,
  transform: Exclude<Transform, TransformOf<MixingKind | AugmentingKind>>,
  random: ExampleRandom,
): Image {
  if (isPrepared(transform)) {
    const apply = appliers[transform.kind] as Applier<UnmixedKind>;
    return apply(image, transform, decide(transform, image, random));
  }
  return transform.kind === "resize" && !transform.mode
    ? resizeImage(image, resizedSize(image, transform))
    : inLoops(image, transform, random);
}

const appliers: { readonly [Kind in UnmixedKind]: Applier<Kind> } = {
  center_crop: cropAt,
  ...OTHER_APPLIERS,
};
