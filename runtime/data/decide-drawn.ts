/**
 * What transforms draw for an image, with torchvision's distributions. Modules that only predict
 * need none of it where their eval transforms draw nothing: scripts/build.mjs leaves this file out
 * of the runtime of such standalone modules.
 */
import {
  sidesOf,
  type CropSize,
  type Range,
  type TransformOf,
  type UnmixedKind,
} from "../../program/transforms.js";
import type { Deciders, Decisions, Size } from "./decide.js";
import { DataError } from "./error.js";
import { roundHalfToEven, type Rectangle } from "./image.js";
import type { ExampleRandom } from "./random.js";

export const DRAWN: Deciders<Exclude<UnmixedKind, "center_crop" | "normalize">> = {
  random_crop: randomCorner,
  hflip: flip,
  vflip: flip,
  color_jitter(transform, _, random) {
    const order = random.order(4);
    return {
      order: order.reduce((code, part, turn) => code | (part << (2 * turn)), 0),
      brightness: random.between(...transform.brightness),
      contrast: random.between(...transform.contrast),
      saturation: random.between(...transform.saturation),
      hue: random.between(...transform.hue),
    };
  },
  pca_noise({ sigma, eigenvectors, eigenvalues }, _, random) {
    const shares = eigenvalues.map((value) => value * sigma * random.normal());
    const [red, green, blue] = [0, 1, 2].map((channel) =>
      shares.reduce((sum, share, column) => sum + share * eigenvectors[channel * 3 + column]!, 0),
    ) as [number, number, number];
    return { red, green, blue };
  },
  random_erasing: (transform, size, random) => ({
    ...erasedRectangle(transform, size, random),
    noise: transform.value === "random" ? random.below(2 ** 24) : 0,
  }),
  affine: inverseAffine,
};

function flip({ probability }: { readonly probability: number }, _: Size, random: ExampleRandom) {
  return { flipped: Number(random.unit() < probability) };
}

function randomCorner(
  { size, padding }: { readonly size: CropSize; readonly padding: number },
  image: Size,
  random: ExampleRandom,
) {
  const { height, width } = sidesOf(size);
  const freeHeight = image.height + 2 * padding - height;
  const freeWidth = image.width + 2 * padding - width;
  if (freeHeight < 0 || freeWidth < 0) {
    const wanted = typeof size === "number" ? `${size}` : `[${size.join(", ")}]`;
    throw new DataError(
      `random_crop(${wanted}, padding=${padding}) met an image of ` +
        `${image.width}x${image.height} (width x height), too small for it`,
      `put \`resize(${wanted})\` before it`,
    );
  }
  const top = random.below(freeHeight + 1) - padding;
  const left = random.below(freeWidth + 1) - padding;
  return { left, top };
}

interface RandomArea {
  readonly scale: Range;
  readonly ratio: Range;
}

const ATTEMPTS = 10;

/**
 * A rectangle of random area and aspect ratio (Szegedy et al. 2015), sampled as torchvision does.
 */
export function randomRectangle(image: Size, crop: RandomArea, random: ExampleRandom): Rectangle {
  const [lowest, highest] = crop.ratio.map(Math.log) as [number, number];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = image.width * image.height * random.between(...crop.scale);
    const ratio = Math.exp(random.between(lowest, highest));
    const width = roundHalfToEven(Math.sqrt(area * ratio));
    const height = roundHalfToEven(Math.sqrt(area / ratio));
    if (width > 0 && width <= image.width && height > 0 && height <= image.height) {
      const top = random.below(image.height - height + 1);
      const left = random.below(image.width - width + 1);
      return { left, top, width, height };
    }
  }
  return largestCentral(image, crop.ratio);
}

/** The largest central rectangle whose aspect ratio is allowed. */
function largestCentral(image: Size, [lowest, highest]: Range): Rectangle {
  const ratio = image.width / image.height;
  let { width, height } = image;
  if (ratio < lowest) height = Math.min(height, roundHalfToEven(width / lowest));
  else if (ratio > highest) width = Math.min(width, roundHalfToEven(height * highest));
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  return { left, top, width, height };
}

const inRadians = (degrees: number): number => (degrees * Math.PI) / 180;

/**
 * From a place after the transform to that before it, both about the middle of the image, sampled
 * as torchvision's RandomAffine does: its inverse matrix.
 */
function inverseAffine(
  { degrees, translate, scale, shear }: TransformOf<"affine">,
  { width, height }: Size,
  random: ExampleRandom,
): Decisions<"affine"> {
  const turn = inRadians(random.between(...degrees));
  const [right, down] = [translate[0] * width, translate[1] * height];
  const x = roundHalfToEven(random.between(-right, right));
  const y = roundHalfToEven(random.between(-down, down));
  const size = random.between(...scale);
  const slant = Math.tan(inRadians(random.between(...shear)));
  const [sine, cosine] = [Math.sin(turn), Math.cos(turn)];
  const [a, b] = [(cosine - sine * slant) / size, (sine + cosine * slant) / size];
  const [d, e] = [-sine / size, cosine / size];
  // Twice the middle, and half a pixel, as rounding to the nearest one needs.
  const [c, f] = [width - 2 * (a * x + b * y), height - 2 * (d * x + e * y)];
  const rows = [
    [a, b, c],
    [d, e, f],
  ] as const;
  return inWholeNumbers(rows, { width, height });
}

export type Row = readonly [x: number, y: number, start: number];

/** With as many bits of fraction as sums in 32 bits allow. */
export function inWholeNumbers(rows: readonly [Row, Row], { width, height }: Size) {
  const sumOf = ([x, y, start]: Row) =>
    Math.abs(x) * width + Math.abs(y) * height + Math.abs(start) + 1;
  const bits = Math.floor(Math.log2(2 ** 30 / Math.max(...rows.map(sumOf))));
  const whole = (value: number) => Math.round(value * 2 ** bits);
  const [a, b, c, d, e, f] = rows.flat().map(whole) as [number, number, number, ...Row];
  // Places are twice those of pixels.
  return { a, b, c, d, e, f, bits: bits + 1 };
}

/** A rectangle of no pixels. */
export const NOTHING = { left: 0, top: 0, width: 0, height: 0 };

/** Zhong et al. 2017, sampled as torchvision does: nothing where no rectangle fits. */
function erasedRectangle(
  { probability, scale, ratio }: RandomArea & { readonly probability: number },
  image: Size,
  random: ExampleRandom,
): Rectangle {
  if (random.unit() >= probability) return NOTHING;
  const [lowest, highest] = ratio.map(Math.log) as [number, number];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = image.width * image.height * random.between(...scale);
    const aspect = Math.exp(random.between(lowest, highest));
    const height = roundHalfToEven(Math.sqrt(area * aspect));
    const width = roundHalfToEven(Math.sqrt(area / aspect));
    if (height >= image.height || width >= image.width) continue;
    const top = random.below(image.height - height + 1);
    const left = random.below(image.width - width + 1);
    return { left, top, width, height };
  }
  return NOTHING;
}
