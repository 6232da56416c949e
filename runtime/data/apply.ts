/** All transforms of a split, those that only training does among them. */
import type { AugmentingKind, Transform, TransformOf } from "../../program/transforms.js";
import { turnImage } from "./augment/perspective.js";
import { augment, augMix } from "./augment/policies.js";
import { drawnFor } from "./chance.js";
import type { ExampleKey, Image } from "./dataset.js";
import type { ExampleRandom } from "./random.js";
import { applyPlainly } from "./transforms.js";

/** `image` after all of `transforms`, in order, except those that mix images. */
export const applyTransforms = (
  image: Image,
  transforms: readonly Transform[],
  key: ExampleKey,
): Image => {
  const drawn = transforms.map((transform) => drawnFor(transform, key));
  return applyPlainly(image, drawn, key, augmented);
};

function augmented(
  image: Image,
  transform: TransformOf<AugmentingKind>,
  random: ExampleRandom,
): Image {
  switch (transform.kind) {
    case "perspective":
      return turnImage(image, transform, random);
    case "aug_mix":
      return augMix(image, transform, random);
    default:
      return augment(image, transform, random);
  }
}
