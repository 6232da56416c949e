/** Where large tensors are looked at: spread by chance, always at the same places. */
import { threefry } from "../../program/random.js";

/** Products that the check of a node may take. */
const BUDGET = 2_000_000;
const FEWEST = 48;
const MOST = 1024;

/**
 * Places to look at in a tensor whose elements take this many products each: the ends, and others
 * between.
 */
export function samplePlaces(length: number, products: number): readonly number[] {
  const affordable = Math.floor(BUDGET / Math.max(1, products));
  return spread(length, Math.min(MOST, Math.max(FEWEST, affordable)));
}

/** This many places of a length, or all: the ends, and others between. */
export function spread(length: number, count: number): readonly number[] {
  if (count >= length) return Array.from({ length }, (_, index) => index);
  const places = new Set([0, length - 1]);
  for (let draw = 0; places.size < count; draw++) {
    places.add(Math.floor((threefry(1, 0, draw, 0)[0] / 2 ** 32) * length));
  }
  return [...places];
}
