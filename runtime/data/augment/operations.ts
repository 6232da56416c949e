/** The operations of RandAugment, TrivialAugment and AugMix (torchvision's autoaugment.py). */
import type { Mask } from "../dataset.js";
import type { Size } from "../decide.js";
import {
  autocontrast,
  brighten,
  changeContrast,
  equalize,
  posterize,
  saturate,
  sharpen,
  solarize,
  type ByteImage,
} from "./bytes.js";
import { bilinearBy, nearestBy, originBy, type Matrix } from "./warp.js";

const MOVES = ["shear_x", "shear_y", "translate_x", "translate_y", "rotate"] as const;
const COLORS = ["brightness", "color", "contrast", "sharpness"] as const;
const LEVELS = ["posterize", "solarize", "autocontrast", "equalize"] as const;

export type OperationName = "identity" | (typeof MOVES | typeof COLORS | typeof LEVELS)[number];

/** An operation as it was drawn. */
export interface Operation {
  readonly name: OperationName;
  readonly magnitude: number;
}

/** Those that RandAugment and TrivialAugment draw from. */
export const OPERATIONS = ["identity", ...MOVES, ...COLORS, ...LEVELS] as const;
/** AugMix's, without and with those that the test sets of corruptions are made with. */
export const MIXED_OPERATIONS = [...MOVES, ...LEVELS] as const;
export const ALL_MIXED_OPERATIONS = [...MOVES, ...LEVELS, ...COLORS] as const;

/** Operations that work in either direction. */
export const isSigned = (name: OperationName): boolean =>
  ([...MOVES, ...COLORS] as readonly OperationName[]).includes(name);

export interface Ranges {
  readonly shear: number;
  /** Of an image of this size, along columns and along rows. */
  readonly translate: (size: Size) => readonly [x: number, y: number];
  readonly degrees: number;
  readonly color: number;
  /** Bits at the smallest magnitude, and how many fewer at the largest. */
  readonly bits: readonly [most: number, fewer: number];
}

/** torch.linspace, in 32 bits. */
function linear(start: number, end: number, [index, count]: readonly [number, number]): number {
  const step = Math.fround((end - start) / (count - 1));
  const isFirstHalf = index < count / 2;
  return Math.fround(isFirstHalf ? start + step * index : end - step * (count - 1 - index));
}

const roundedHalfEven = (value: number) => {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 === 1 ? whole - 1 : whole;
};

/** The magnitude of this index among this many, from the table of its policy. */
export function magnitudeOf(
  name: OperationName,
  place: readonly [index: number, count: number],
  ranges: Ranges,
  size: Size,
): number {
  const [across, down] = ranges.translate(size);
  switch (name) {
    case "shear_x":
    case "shear_y":
      return linear(0, ranges.shear, place);
    case "translate_x":
      return linear(0, across, place);
    case "translate_y":
      return linear(0, down, place);
    case "rotate":
      return linear(0, ranges.degrees, place);
    case "posterize": {
      const [most, fewer] = ranges.bits;
      const [index, count] = place;
      return most - roundedHalfEven(Math.fround(index / ((count - 1) / fewer)));
    }
    case "solarize":
      return linear(255, 0, place);
    case "brightness":
    case "color":
    case "contrast":
    case "sharpness":
      return linear(0, ranges.color, place);
    default:
      return 0;
  }
}

/** Where the pixels of an operation that moves them come from. */
export function matrixOf({ name, magnitude }: Operation, size: Size): Matrix | undefined {
  switch (name) {
    // As in torchvision, about the first pixel's corner.
    case "shear_x":
      return [
        [1, magnitude, (magnitude * size.height) / 2],
        [0, 1, 0],
      ];
    case "shear_y":
      return [
        [1, 0, 0],
        [magnitude, 1, (magnitude * size.width) / 2],
      ];
    case "translate_x":
      return [
        [1, 0, -Math.trunc(magnitude)],
        [0, 1, 0],
      ];
    case "translate_y":
      return [
        [1, 0, 0],
        [0, 1, -Math.trunc(magnitude)],
      ];
    case "rotate": {
      const turn = (magnitude * Math.PI) / 180;
      const [sine, cosine] = [Math.sin(turn), Math.cos(turn)];
      return [
        [cosine, -sine, 0],
        [sine, cosine, 0],
      ];
    }
    default:
      return undefined;
  }
}

/** An image after an operation; pixels that move are the nearest ones unless told. */
export function operate(
  image: ByteImage,
  operation: Operation,
  sampling: "nearest" | "bilinear" = "nearest",
): ByteImage {
  const matrix = matrixOf(operation, image);
  if (matrix && sampling === "nearest") return nearestBy(image, matrix);
  if (matrix) return bilinearBy(image, originBy(matrix, image), { fades: false }) as ByteImage;
  const { name, magnitude } = operation;
  switch (name) {
    case "brightness":
      return brighten(image, 1 + magnitude);
    case "color":
      return saturate(image, 1 + magnitude);
    case "contrast":
      return changeContrast(image, 1 + magnitude);
    case "sharpness":
      return sharpen(image, 1 + magnitude);
    case "posterize":
      return posterize(image, magnitude);
    case "solarize":
      return solarize(image, magnitude);
    case "autocontrast":
      return autocontrast(image);
    case "equalize":
      return equalize(image);
    default:
      return image;
  }
}

/** A mask after the same: only what moves pixels moves labels. */
export function operateOnMask(mask: Mask, operation: Operation, outside: number): Mask {
  const matrix = matrixOf(operation, mask);
  return matrix ? nearestBy(mask, matrix, outside) : mask;
}
