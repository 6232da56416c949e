/** Noise: random numbers that the device draws in place of an input. */
import { toUnit } from "./random.js";

/** How noise is distributed: the standard normal distribution, or uniform in [-1, 1). */
export type Distribution = "normal" | "uniform";

/** In place of the step, in the counter of noise outside of training. */
export const NOT_TRAINING = 0xfffffffe;

/** A number of a distribution, of two random words. */
export function drawnFrom(distribution: Distribution, [x, y]: readonly [number, number]): number {
  if (distribution === "uniform") return 2 * toUnit(x) - 1;
  // Box-Muller; 1 - u keeps the logarithm finite.
  return Math.sqrt(-2 * Math.log(1 - toUnit(x))) * Math.cos(6.2831853 * toUnit(y));
}
