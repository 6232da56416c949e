/**
 * The transforms of a `data` declaration on boxes, with the decisions of their picture, which
 * follow from the example's key alone.
 */
import { BOX_NUMBERS } from "../../program/boxes.js";
import { sidesOf, type Transform } from "../../program/transforms.js";
import { drawnFor } from "./chance.js";
import type { Boxes, ExampleKey, PixelBox } from "./dataset.js";
import { decide, resizedSize, type Decisions, type Size } from "./decide.js";
import { randomRectangle } from "./decide-drawn.js";
import { DataError } from "./error.js";
import { fittedSize, placeWithin } from "./other-transforms.js";
import type { Rectangle } from "./image.js";
import { randomFor, type ExampleRandom } from "./random.js";

/**
 * `boxes` after `transforms`, of which the first has this place among those of its split. What a
 * crop leaves of a box stays where its middle does (as in SSD, arXiv:1512.02325).
 */
export function transformBoxes(
  boxes: Boxes,
  transforms: readonly Transform[],
  key: ExampleKey,
  first = 0,
): Boxes {
  return transforms.reduce(
    (current, transform, index) =>
      moved(current, drawnFor(transform, key), randomFor(key, first + index)),
    boxes,
  );
}

function moved(boxes: Boxes, transform: Transform, random: ExampleRandom): Boxes {
  switch (transform.kind) {
    case "resize":
      return cropped(boxes, whole(boxes), resizedSize(boxes, transform));
    case "letterbox": {
      const into = sidesOf(transform.size);
      const fitted = cropped(boxes, whole(boxes), fittedSize(boxes, into));
      const { left, top } = placeWithin(fitted, into);
      return cropped(fitted, { left: -left, top: -top, ...into }, into);
    }
    case "random_resized_crop": {
      const from = randomRectangle(boxes, transform, random);
      return cropped(boxes, from, sidesOf(transform.size));
    }
    case "center_crop":
    case "random_crop": {
      const { left, top } = decide(transform, boxes, random) as Decisions<"center_crop">;
      const sides = sidesOf(transform.size);
      return cropped(boxes, { left, top, ...sides }, sides);
    }
    case "hflip":
    case "vflip": {
      const { flipped } = decide(transform, boxes, random) as Decisions<"hflip">;
      return flipped ? mirrored(boxes, transform.kind) : boxes;
    }
    case "normalize":
    case "color_jitter":
    case "pca_noise":
    case "random_erasing":
    case "gaussian_blur":
      return boxes;
    default:
      throw new DataError(`\`${transform.kind}\` does not say what becomes of boxes`);
  }
}

const whole = ({ width, height }: Size): Rectangle => ({ left: 0, top: 0, width, height });

/** A part of the image at another size. */
function cropped(boxes: Boxes, from: Rectangle, to: Size): Boxes {
  const [wide, high] = [to.width / from.width, to.height / from.height];
  const items = boxes.items.flatMap((box): PixelBox[] => {
    const x = (box.left + box.right) / 2 - from.left;
    const y = (box.top + box.bottom) / 2 - from.top;
    const isInside = x >= 0 && x < from.width && y >= 0 && y < from.height;
    if (!isInside) return [];
    const across = (place: number) => wide * within(place - from.left, from.width);
    const down = (place: number) => high * within(place - from.top, from.height);
    return [
      {
        label: box.label,
        left: across(box.left),
        top: down(box.top),
        right: across(box.right),
        bottom: down(box.bottom),
      },
    ];
  });
  return { ...boxes, ...to, items };
}

const within = (place: number, length: number) => Math.min(length, Math.max(0, place));

function mirrored(boxes: Boxes, kind: "hflip" | "vflip"): Boxes {
  const { width, height } = boxes;
  const items = boxes.items.map((box) =>
    kind === "hflip"
      ? { ...box, left: width - box.right, right: width - box.left }
      : { ...box, top: height - box.bottom, bottom: height - box.top },
  );
  return { ...boxes, items };
}

/** The largest share below 1 in 32 bits: a middle at the very edge belongs to the last cell. */
const LAST_SHARE = 1 - 2 ** -24;

/** Five numbers for each of `most` boxes: the class and, in shares, middle and size; else -1. */
export function packBoxes({ width, height, most, items }: Boxes): Float32Array {
  const numbers = new Float32Array(most * BOX_NUMBERS);
  for (let place = 0; place < most; place++) numbers[place * BOX_NUMBERS] = -1;
  items.forEach(({ label, left, top, right, bottom }, place) => {
    const middle = [(left + right) / 2 / width, (top + bottom) / 2 / height].map((share) =>
      Math.min(LAST_SHARE, share),
    );
    const size = [(right - left) / width, (bottom - top) / height];
    numbers.set([label, ...middle, ...size], place * BOX_NUMBERS);
  });
  return numbers;
}
