/**
 * What may be done to images between a data source and the network: plain data, and the decisions
 * that each transform takes.
 */

/** Smallest and largest value of something that is drawn. */
export type Range = readonly [low: number, high: number];

/** Height and width in pixels. */
export type HeightAndWidth = readonly [height: number, width: number];

/** Of a square, or of both sides. */
export type CropSize = number | HeightAndWidth;

/** How the pixels of another size are weighted; bilinear if absent. */
interface Resampled {
  readonly mode?: "bicubic";
}

/**
 * One of several transforms that a spec leaves to chance: an example has it if the number that is
 * drawn for this choice, in [0, 1), is at least `from` and less than `to`.
 */
export interface Chance {
  /** Among the choices of a split. */
  readonly choice: number;
  readonly from: number;
  readonly to: number;
}

/** What is done to an image; only where all of `when` are drawn, if there are any. */
export type Transform = AnyTransform & { readonly when?: readonly Chance[] };

type AnyTransform =
  /** A number is that of the shorter side; the other follows. */
  | ({ readonly kind: "resize"; readonly size: number | HeightAndWidth } & Resampled)
  /** As large as fits into a size, in the middle of pixels of one value. */
  | ({
      readonly kind: "letterbox";
      readonly size: CropSize;
      /** From 0 to 1. */
      readonly value: number;
    } & Resampled)
  | { readonly kind: "center_crop"; readonly size: CropSize }
  | { readonly kind: "random_crop"; readonly size: CropSize; readonly padding: number }
  | ({
      readonly kind: "random_resized_crop";
      readonly size: CropSize;
      readonly scale: Range;
      readonly ratio: Range;
    } & Resampled)
  /** By a Gaussian of this deviation, drawn for each image, cut off beyond the kernel. */
  | { readonly kind: "gaussian_blur"; readonly kernel: HeightAndWidth; readonly sigma: Range }
  /** Corners move inward by up to this share of half of the image. */
  | {
      readonly kind: "perspective";
      readonly distortion: number;
      readonly probability: number;
    }
  /** This many operations, drawn for each image, of one magnitude (arXiv:1909.13719). */
  | { readonly kind: "rand_augment"; readonly operations: number; readonly magnitude: number }
  /** One operation of any magnitude (arXiv:2103.10158). */
  | { readonly kind: "trivial_augment" }
  /** The weighted mean of the image and of chains of operations on it (arXiv:1912.02781). */
  | {
      readonly kind: "aug_mix";
      readonly severity: number;
      readonly chains: number;
      /** Operations of a chain: 1 to 3 of them, drawn for each, if absent. */
      readonly depth?: number | undefined;
      readonly alpha: number;
      /** Whether brightness, contrast, saturation and sharpness are among them. */
      readonly hasAll: boolean;
    }
  /**
   * Four corners and the middle, and their mirror images: ten images of one, one below the other.
   * Only `normalize` follows.
   */
  | { readonly kind: "ten_crop"; readonly size: number }
  | { readonly kind: "hflip"; readonly probability: number }
  | { readonly kind: "vflip"; readonly probability: number }
  | {
      readonly kind: "normalize";
      /** One per channel; pixel values are 0..1 before. */
      readonly mean: readonly number[];
      readonly std: readonly number[];
    }
  | {
      readonly kind: "color_jitter";
      /**
       * Factors are drawn from these; the hue's is a part of a turn. 1 to 1, and a hue of 0 to 0,
       * change nothing.
       */
      readonly brightness: Range;
      readonly contrast: Range;
      readonly saturation: Range;
      readonly hue: Range;
    }
  | {
      readonly kind: "pca_noise";
      /** Standard deviation of the share of each component that is added. */
      readonly sigma: number;
      /**
       * Principal components of the colors of all pixels: a row for each channel, a column for
       * each component.
       */
      readonly eigenvectors: readonly number[];
      readonly eigenvalues: readonly number[];
    }
  | {
      readonly kind: "random_erasing";
      readonly probability: number;
      /** Of the area erased, as a share of the image, and of its height to its width. */
      readonly scale: Range;
      readonly ratio: Range;
      /** `random`: noise, of the standard normal distribution, that differs for each number. */
      readonly value: number | "random";
    }
  /**
   * Turned clockwise, moved, scaled and sheared about the middle, each pixel from the nearest one;
   * black where there is none.
   */
  | {
      readonly kind: "affine";
      readonly degrees: Range;
      /** Largest shifts, as shares of the width and of the height. */
      readonly translate: readonly [x: number, y: number];
      readonly scale: Range;
      /** In degrees, along rows. */
      readonly shear: Range;
    }
  /** One of the two below, or none, for each image or for all images of a batch. */
  | {
      readonly kind: "mixture";
      readonly each: "image" | "batch";
      readonly of: readonly MixturePart[];
    }
  /** A rectangle of each image comes from another one of the batch (arXiv:1905.04899). */
  | { readonly kind: "cutmix"; readonly alpha: number }
  /** Each image is the weighted mean of itself and another one of the batch (arXiv:1710.09412). */
  | { readonly kind: "mixup"; readonly alpha: number };

/** Drawn if the number in [0, 1) is less than `to`, and not less than that of the part before. */
export type MixturePart = { readonly to: number } & (
  { readonly kind: "mixup" | "cutmix"; readonly alpha: number } | { readonly kind: "identity" }
);

/** Height and width of what has one size, or both. */
export function sidesOf(size: CropSize): { readonly height: number; readonly width: number } {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  return { height, width };
}

export type TransformKind = Transform["kind"];
export type TransformOf<Kind extends TransformKind> = Extract<Transform, { readonly kind: Kind }>;

/** Transforms that join each image with another one of its batch; they come last. */
export const MIXING = ["cutmix", "mixup", "mixture"] as const satisfies readonly TransformKind[];
export type MixingKind = (typeof MIXING)[number];

export function isMixing(transform: Transform): transform is TransformOf<MixingKind> {
  return (MIXING as readonly TransformKind[]).includes(transform.kind);
}

const RECTANGLE = { left: "i32", top: "i32", width: "i32", height: "i32" } as const;
const CROP = { left: "i32", top: "i32" } as const;

/**
 * What each transform that kernels can do decides for an image (or for one of the images that a
 * mixture is of), in the order of the words that they read. Pixels outside of what a crop reaches
 * are zero. `order` of color_jitter holds a number of two bits for each of its four parts: which
 * comes first, second, third and fourth; NO_ORDER where nothing is done. The others need another
 * size of image for each image, and happen before.
 */
export const DECISIONS = {
  center_crop: CROP,
  random_crop: CROP,
  hflip: { flipped: "u32" },
  vflip: { flipped: "u32" },
  normalize: {},
  color_jitter: {
    order: "u32",
    brightness: "f32",
    contrast: "f32",
    saturation: "f32",
    hue: "f32",
  },
  /** What is added to each channel. */
  pca_noise: { red: "f32", green: "f32", blue: "f32" },
  /** Of width 0 where nothing is erased; `noise` is the seed of a random value. */
  random_erasing: { ...RECTANGLE, noise: "u32" },
  /** What comes from the other image, and the share of the image that stays. */
  cutmix: { ...RECTANGLE, share: "f32" },
  mixup: { share: "f32" },
  /** `cuts` is 1 or 0. */
  mixture: { ...RECTANGLE, share: "f32", cuts: "u32" },
  /**
   * Where the pixel at column x and row y comes from, by whole numbers, so that all devices agree:
   * with X and Y twice the distances from the middle of the image, its column is
   * (a X + b Y + c) >> bits, and its row (d X + e Y + f) >> bits.
   */
  affine: { a: "i32", b: "i32", c: "i32", d: "i32", e: "i32", f: "i32", bits: "u32" },
} as const satisfies { readonly [Kind in TransformKind]?: Readonly<Record<string, WordType>> };

export type WordType = "i32" | "u32" | "f32";

/** The kinds that kernels can do. */
export type PreparedKind = keyof typeof DECISIONS;

/** Those of them that do not mix images. */
export type UnmixedKind = Exclude<PreparedKind, MixingKind>;

/** Those that only training does: an eval split has none of them. */
export const AUGMENTING = [
  "perspective",
  "rand_augment",
  "trivial_augment",
  "aug_mix",
] as const satisfies readonly TransformKind[];
export type AugmentingKind = (typeof AUGMENTING)[number];

export function isAugmenting(transform: Transform): transform is TransformOf<AugmentingKind> {
  return (AUGMENTING as readonly TransformKind[]).includes(transform.kind);
}

export function isPrepared(transform: Transform): transform is TransformOf<PreparedKind> {
  return transform.kind in DECISIONS;
}

/** Images that `ten_crop` makes of one. */
export const TEN = 10;

/** Images that a chain of transforms makes of one. */
export function imagesOf(transforms: readonly Transform[]): number {
  return transforms.some(({ kind }) => kind === "ten_crop") ? TEN : 1;
}

/** The parts of color_jitter, by the numbers that `order` gives them. */
export const JITTER_PARTS = ["brightness", "contrast", "saturation", "hue"] as const;

/** The `order` of a color_jitter that is left to chance and not drawn for an image. */
export const NO_ORDER = 256;

/** Whether a color_jitter may change the contrast, for which it needs the image's mean. */
export function changesContrast({ contrast }: TransformOf<"color_jitter">): boolean {
  return contrast[0] !== 1 || contrast[1] !== 1;
}

/** The place of a transform's words among those of a view. */
export interface WordsPlace {
  readonly transform: TransformOf<PreparedKind>;
  readonly first: number;
}

/** Word 0 of a view is the factor that brings its bytes to 0..1. */
export const SCALE_WORD = 0;

/**
 * The places of the decisions that prepared transforms take, and how many words there are in all.
 */
export function placeWords(transforms: readonly TransformOf<PreparedKind>[]): {
  readonly places: readonly WordsPlace[];
  readonly words: number;
} {
  let words = SCALE_WORD + 1;
  const places = transforms.map((transform) => {
    const first = words;
    words += Object.keys(DECISIONS[transform.kind]).length;
    return { transform, first };
  });
  return { places, words };
}
