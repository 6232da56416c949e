/**
 * The transforms of a `data` declaration on a mask of labels: those that move pixels, with the
 * decisions of its picture, which follow from the example's key alone. Labels are never mixed, so
 * sizes change by the nearest pixel.
 */
import { sidesOf, type Transform, type TransformOf } from "../../program/transforms.js";
import { turnMask } from "./augment/perspective.js";
import { augmentMask } from "./augment/policies.js";
import { drawnFor } from "./chance.js";
import type { ExampleKey, Mask } from "./dataset.js";
import { decide, resizedSize, type Decisions, type Size } from "./decide.js";
import { randomRectangle } from "./decide-drawn.js";
import { DataError } from "./error.js";
import { affineImage, cropImage, flipImage, type Rectangle } from "./image.js";
import { fittedSize, placeWithin } from "./other-transforms.js";
import { randomFor, type ExampleRandom } from "./random.js";

/**
 * `mask` after `transforms`, of which the first has this place among those of its split. Throws a
 * DataError where a crop reaches beyond a mask without a label to ignore.
 */
export function transformMask(
  mask: Mask,
  transforms: readonly Transform[],
  key: ExampleKey,
  first = 0,
): Mask {
  return transforms.reduce(
    (current, transform, index) =>
      moved(current, drawnFor(transform, key), randomFor(key, first + index)),
    mask,
  );
}

function moved(mask: Mask, transform: Transform, random: ExampleRandom): Mask {
  switch (transform.kind) {
    case "resize":
      return nearest(mask, whole(mask), resizedSize(mask, transform));
    case "random_resized_crop": {
      const from = randomRectangle(mask, transform, random);
      return nearest(mask, from, sidesOf(transform.size));
    }
    case "letterbox":
      return letterboxed(mask, transform);
    case "center_crop":
    case "random_crop": {
      const { left, top } = decide(transform, mask, random) as Decisions<"center_crop">;
      return cropped(mask, { left, top, ...sidesOf(transform.size) });
    }
    case "hflip":
    case "vflip": {
      const { flipped } = decide(transform, mask, random) as Decisions<"hflip">;
      const axis = transform.kind === "hflip" ? "horizontal" : "vertical";
      return flipped ? ({ ...mask, ...flipImage(mask, axis) } as Mask) : mask;
    }
    case "ten_crop":
    case "aug_mix":
      throw new DataError(`${transform.kind} has no meaning for masks`);
    case "gaussian_blur":
    case "normalize":
    case "color_jitter":
    case "pca_noise":
    case "random_erasing":
    case "cutmix":
    case "mixup":
    case "mixture":
      return mask;
    case "affine": {
      const places = decide(transform, mask, random) as Decisions<"affine">;
      const ignore = ignoredLabel(mask, "`affine` and `rotation` turn");
      return { ...mask, ...affineImage(mask, places, ignore) } as Mask;
    }
    case "perspective": {
      const ignore = ignoredLabel(mask, "`perspective` turns");
      return turnMask(mask, transform, random, ignore);
    }
    case "rand_augment":
    case "trivial_augment": {
      const ignore = ignoredLabel(mask, `\`${transform.kind}\` turns`);
      return augmentMask(mask, transform, random, ignore);
    }
  }
}

function ignoredLabel({ ignore }: Mask, turns: string): number {
  if (ignore !== undefined) return ignore;
  throw new DataError(
    `${turns} a mask's corners out of it, and pixels there have no class`,
    "give the loss a label to ignore: `cross_entropy(..., ignore=255)`",
  );
}

function letterboxed(mask: Mask, { size }: TransformOf<"letterbox">): Mask {
  const into = sidesOf(size);
  const inner = nearest(mask, whole(mask), fittedSize(mask, into));
  const { left, top } = placeWithin(inner, into);
  return cropped(inner, { left: -left, top: -top, ...into });
}

const whole = ({ width, height }: Size): Rectangle => ({ left: 0, top: 0, width, height });

/** A part of a mask at another size: the label of the pixel that the middle of each falls on. */
function nearest(mask: Mask, from: Rectangle, to: Size): Mask {
  const pixels = new Uint8Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const row = from.top + Math.floor(((y + 0.5) * from.height) / to.height);
    for (let x = 0; x < to.width; x++) {
      const column = from.left + Math.floor(((x + 0.5) * from.width) / to.width);
      pixels[y * to.width + x] = mask.pixels[row * mask.width + column]!;
    }
  }
  return { ...mask, ...to, pixels };
}

function cropped(mask: Mask, area: Rectangle): Mask {
  const { left, top, width, height } = area;
  const isWithin =
    left >= 0 && top >= 0 && left + width <= mask.width && top + height <= mask.height;
  const result = { ...mask, ...cropImage(mask, area) } as Mask;
  if (isWithin) return result;
  if (mask.ignore === undefined) {
    throw new DataError(
      `a crop of ${width}x${height} reaches beyond a mask of ${mask.width}x${mask.height} ` +
        "(width x height), and pixels there have no class",
      "give the loss a label to ignore: `cross_entropy(..., ignore=255)`; or resize before it",
    );
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isInside =
        x + left >= 0 && x + left < mask.width && y + top >= 0 && y + top < mask.height;
      if (!isInside) result.pixels[y * width + x] = mask.ignore;
    }
  }
  return result;
}
