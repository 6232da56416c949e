/** The random decisions of transforms that mix images, which only training does. */
import type { MixingKind, TransformOf } from "../../program/transforms.js";
import type { Deciders, Decisions, Size } from "./decide.js";
import { NOTHING } from "./decide-drawn.js";
import type { ExampleRandom } from "./random.js";

const deciders: Deciders<MixingKind> = {
  cutmix: ({ alpha }, size, random) => cutRectangle(beta(alpha, random), size, random),
  mixup: ({ alpha }, _, random) => ({ share: beta(alpha, random) }),
  mixup_or_cutmix({ mixup, cutmix, cuts }, size, random) {
    if (random.unit() >= cuts) return { ...NOTHING, share: beta(mixup, random), cuts: 0 };
    return { ...cutRectangle(beta(cutmix, random), size, random), cuts: 1 };
  },
};

/** How an image of that size is mixed with another one. */
export function decideMixing(
  transform: TransformOf<MixingKind>,
  size: Size,
  random: ExampleRandom,
): Decisions<MixingKind> {
  const decider = deciders[transform.kind] as (
    transform: TransformOf<MixingKind>,
    size: Size,
    random: ExampleRandom,
  ) => Decisions<MixingKind>;
  return decider(transform, size, random);
}

/**
 * A rectangle around a random point that covers 1 - `share` of the image, less what lies outside of
 * it; the share follows.
 */
function cutRectangle(share: number, { width, height }: Size, random: ExampleRandom) {
  const x = random.below(width);
  const y = random.below(height);
  const half = 0.5 * Math.sqrt(1 - share);
  const left = Math.max(0, x - Math.floor(half * width));
  const top = Math.max(0, y - Math.floor(half * height));
  const right = Math.min(width, x + Math.floor(half * width));
  const bottom = Math.min(height, y + Math.floor(half * height));
  const cut = { left, top, width: right - left, height: bottom - top };
  return { ...cut, share: 1 - (cut.width * cut.height) / (width * height) };
}

/** From the beta distribution with both parameters `alpha`: in [0, 1], symmetric about 1/2. */
export function beta(alpha: number, random: ExampleRandom): number {
  const [first, second] = [gamma(alpha, random), gamma(alpha, random)];
  // Both are 0 only where alpha is so small that one of them alone counts: the distribution's
  // ends.
  return first + second > 0 ? first / (first + second) : Math.round(random.unit());
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
export function gamma(shape: number, random: ExampleRandom): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.unit()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.unit()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
