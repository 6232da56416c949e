/** The random decisions of transforms that mix images, which only training does. */
import type { MixingKind, MixturePart, TransformOf } from "../../program/transforms.js";
import type { ExampleKey } from "./dataset.js";
import type { Decisions, Size } from "./decide.js";
import { NOTHING } from "./decide-drawn.js";
import { choiceAt, type ExampleRandom } from "./random.js";

/** Among the choices of a split, whose others are counted from 0. */
const CHOICE_OF_BATCH = 0xffff;

/**
 * How an image of that size is mixed with another one.
 *
 * @param batch what decides for the whole batch: `example` is its position in the epoch
 */
export function decideMixing(
  transform: TransformOf<MixingKind>,
  size: Size,
  random: ExampleRandom,
  batch: ExampleKey,
): Decisions<MixingKind> {
  switch (transform.kind) {
    case "cutmix":
      return cutRectangle(beta(transform.alpha, random), size, random);
    case "mixup":
      return { share: beta(transform.alpha, random) };
    case "mixture": {
      const { each, of } = transform;
      const drawn = each === "image" ? random.unit() : choiceAt(batch, CHOICE_OF_BATCH);
      return decidePart(
        of.find(({ to }) => drawn < to)!,
        size,
        random,
      );
    }
  }
}

/** `cuts` says what the numbers are for; an image that keeps all of itself is not mixed. */
function decidePart(part: MixturePart, size: Size, random: ExampleRandom): Decisions<"mixture"> {
  if (part.kind === "identity") return { ...NOTHING, share: 1, cuts: 0 };
  const share = beta(part.alpha, random);
  return part.kind === "cutmix"
    ? { ...cutRectangle(share, size, random), cuts: 1 }
    : { ...NOTHING, share, cuts: 0 };
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
