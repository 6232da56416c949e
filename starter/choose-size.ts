import type { HeightAndWidth } from "../program/transforms.js";
import { spreadOf } from "./survey.js";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Sides of inputs that networks of convolutions divide well. */
const SIDES = [32, 48, 64, 96];

/** From this ratio of the sides on, a square loses too much of a picture. */
const WIDE = 1.6;
/** A shape is typical where this share of the pictures has nearly the same. */
const TYPICAL = 0.9;
const NEARLY = 1.33;

/**
 * The network's input: the size of the pictures where all are small squares of one size, a
 * rectangle where most have one shape that is far from a square, else the largest usual square that
 * most of them have.
 */
export function inputSize(pictures: readonly Size[]): HeightAndWidth {
  const shorter = spreadOf(pictures.map(({ width, height }) => Math.min(width, height)));
  const isSquare = pictures.every(({ width, height }) => width === height);
  const isUsual = shorter.most >= SMALLEST && shorter.most <= SIDES.at(-1)!;
  if (isSquare && shorter.least === shorter.most && isUsual) return [shorter.most, shorter.most];
  const ratio = typicalRatio(pictures);
  if (ratio !== undefined) return rectangle(ratio, shorter.median);
  const side = SIDES.findLast((each) => each <= shorter.median) ?? SIDES[0]!;
  return [side, side];
}

/** Below this, too little is left after two poolings. */
const SMALLEST = 16;

/** Width over height, where nearly all pictures have one that is far from 1. */
function typicalRatio(pictures: readonly Size[]): number | undefined {
  const ratios = pictures.map(({ width, height }) => width / height);
  const { median } = spreadOf(ratios);
  const near = ratios.filter((ratio) => Math.max(ratio / median, median / ratio) <= NEARLY);
  const isWide = Math.max(median, 1 / median) >= WIDE;
  return isWide && near.length >= TYPICAL * ratios.length ? median : undefined;
}

/** The longer side is a multiple of this, so that poolings divide it. */
const STEP = 16;

/** About as many pixels as the largest square, or fewer where the pictures are smaller. */
function rectangle(ratio: number, shorterSide: number): HeightAndWidth {
  const longer = (side: number) =>
    Math.max(STEP, Math.round((side * Math.max(ratio, 1 / ratio)) / STEP) * STEP);
  const most = SIDES.at(-1)! ** 2;
  const fits = (side: number) => side <= shorterSide && side * longer(side) <= most;
  const side = SIDES.findLast(fits) ?? SIDES[0]!;
  return ratio > 1 ? [side, longer(side)] : [longer(side), side];
}
