/**
 * The random decisions of transforms, with torchvision's distributions. Each is a function of seed,
 * epoch, example and the transform's position alone (random.ts), whether kernels act on it or the
 * plain loops of transforms.ts. What mixes images decides in decide-mixing.ts: only training does.
 */
import type {
  DECISIONS,
  PreparedKind,
  Range,
  TransformOf,
  UnmixedKind,
} from "../../program/transforms.js";
import { DataError } from "./error.js";
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
  center_crop: ({ size }, image) => corner(centralSquare(image, size)),
  random_crop: randomCorner,
  hflip: flip,
  vflip: flip,
  normalize: () => ({}),
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
  random_erasing: erasedRectangle,
  affine: inverseAffine,
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

const corner = ({ left, top }: Rectangle) => ({ left, top });

function flip({ probability }: { readonly probability: number }, _: Size, random: ExampleRandom) {
  return { flipped: Number(random.unit() < probability) };
}

/** The middle; a smaller image is surrounded by zeros. */
export function centralSquare(image: Size, size: number): Rectangle {
  return {
    left: centralStart(image.width, size),
    top: centralStart(image.height, size),
    width: size,
    height: size,
  };
}

/** torchvision rounds half of what it cuts off, but cuts off half of what it adds. */
function centralStart(length: number, size: number): number {
  return length < size ? -Math.floor((size - length) / 2) : roundHalfToEven((length - size) / 2);
}

/**
 * The four corners and the middle, in torchvision's order. Throws a DataError where the image is
 * smaller than a crop.
 */
export function fiveSquares(image: Size, size: number): Rectangle[] {
  if (image.width < size || image.height < size) {
    throw new DataError(
      `ten_crop(${size}) met an image of ${image.width}x${image.height} ` +
        "(width x height), too small for it",
      `put \`resize(${size})\` before it, or resize to more`,
    );
  }
  const square = { width: size, height: size };
  const [right, bottom] = [image.width - size, image.height - size];
  return [
    { left: 0, top: 0, ...square },
    { left: right, top: 0, ...square },
    { left: 0, top: bottom, ...square },
    { left: right, top: bottom, ...square },
    centralSquare(image, size),
  ];
}

function randomCorner(
  { size, padding }: { readonly size: number; readonly padding: number },
  image: Size,
  random: ExampleRandom,
) {
  const freeHeight = image.height + 2 * padding - size;
  const freeWidth = image.width + 2 * padding - size;
  if (freeHeight < 0 || freeWidth < 0) {
    throw new DataError(
      `random_crop(${size}, padding=${padding}) met an image of ${image.width}x${image.height} ` +
        "(width x height), too small for it",
      `put \`resize(${size})\` before it`,
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

type Row = readonly [x: number, y: number, start: number];

/** With as many bits of fraction as sums in 32 bits allow. */
function inWholeNumbers(rows: readonly [Row, Row], { width, height }: Size) {
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
