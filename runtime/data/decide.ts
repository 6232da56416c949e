/**
 * The decisions of transforms, with torchvision's distributions. Each is a function of seed, epoch,
 * example and the transform's position alone (random.ts), whether kernels act on it or the plain
 * loops of transforms.ts. What is random is in decide-drawn.ts; what mixes images decides in
 * decide-mixing.ts: only training does.
 */
import {
  sidesOf,
  type DECISIONS,
  type PreparedKind,
  type TransformOf,
  type UnmixedKind,
} from "../../program/transforms.js";
import { DRAWN } from "./decide-drawn.js";
import { roundHalfToEven, type Rectangle } from "./image.js";
import type { ExampleRandom } from "./random.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A number for each word of a transform's decisions. */
export type Decisions<Kind extends PreparedKind = PreparedKind> = {
  readonly [Name in keyof (typeof DECISIONS)[Kind]]: number;
};

/** What decides for transforms of some kinds. */
export type Deciders<Kinds extends PreparedKind> = {
  readonly [Kind in Kinds]: (
    transform: TransformOf<Kind>,
    size: Size,
    random: ExampleRandom,
  ) => Decisions<Kind>;
};

const deciders: Deciders<UnmixedKind> = {
  center_crop({ size }, image) {
    const { left, top } = centralCrop(image, sidesOf(size));
    return { left, top };
  },
  normalize: () => ({}),
  ...DRAWN,
};

/**
 * What a transform does to an image of that size. Throws a DataError where the image is too small
 * for it.
 */
export function decide(
  transform: TransformOf<UnmixedKind>,
  size: Size,
  random: ExampleRandom,
): Decisions {
  const decider = deciders[transform.kind] as (
    transform: TransformOf<UnmixedKind>,
    size: Size,
    random: ExampleRandom,
  ) => Decisions;
  return decider(transform, size, random);
}

/** The middle; a smaller image is surrounded by zeros. */
export function centralCrop(image: Size, { width, height }: Size): Rectangle {
  return {
    left: centralStart(image.width, width),
    top: centralStart(image.height, height),
    width,
    height,
  };
}

/** torchvision rounds half of what it cuts off, but cuts off half of what it adds. */
function centralStart(length: number, size: number): number {
  return length < size ? -Math.floor((size - length) / 2) : roundHalfToEven((length - size) / 2);
}

/**
 * What `resize` makes of a size. The shorter side becomes a number, and the longer one follows,
 * rounded down.
 */
export function resizedSize(
  { width, height }: Size,
  { size }: Pick<TransformOf<"resize">, "size">,
): Size {
  if (typeof size !== "number") return { width: size[1], height: size[0] };
  return width <= height
    ? { width: size, height: Math.floor((size * height) / width) }
    : { width: Math.floor((size * width) / height), height: size };
}
