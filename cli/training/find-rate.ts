/**
 * A learning rate range test: the rate grows from step to step until the loss rises. Smith,
 * "Cyclical Learning Rates for Training Neural Networks", 2015 (https://arxiv.org/abs/1506.01186).
 */
import type { TrainRecipe } from "../../program/recipe.js";
import { imageOf } from "../../program/tensors.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { chooseStaging, loadBatches } from "../../runtime/data/index.js";
import { meansOf } from "../../runtime/measurement.js";
import type { TrainableNetwork } from "../../runtime/training/network.js";

/** A step of the test. */
export interface RatePoint {
  readonly rate: number;
  /** Of the batch, before its update. */
  readonly loss: number;
}

export interface RangeTestOptions {
  /** Steps from the lowest rate to the highest. */
  readonly steps: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (done: number) => void;
}

/** From rates at which nothing happens to those at which every network diverges. */
export const LOWEST_RATE = 1e-7;
export const HIGHEST_RATE = 10;

/** The loss has risen for good once it is this many times its lowest mean. */
const RISEN = 4;

/**
 * The loss at growing learning rates, until it has risen or is not finite. Trains the network,
 * whose weights are worth nothing afterwards; writes no file.
 */
export async function rangeTest(
  network: TrainableNetwork,
  dataset: Dataset,
  recipe: TrainRecipe,
  { steps, signal, onStep }: RangeTestOptions,
): Promise<readonly RatePoint[]> {
  const points: RatePoint[] = [];
  await network.enterPhase?.(0);
  network.setStep(0);
  for (let epoch = 0; points.length < steps; epoch++) {
    const before = points.length;
    for await (const { images, targets } of batchesOf(network, dataset, recipe, epoch)) {
      if (signal?.aborted) return points;
      const rate = rateAt(points.length, steps);
      const { accumulate } = recipe;
      const options = { learningRate: rate, accumulate, transfer: true };
      const { loss } = meansOf(await network.measureStep(images, targets, options));
      if (loss === undefined || !Number.isFinite(loss)) return points;
      points.push({ rate, loss });
      onStep?.(points.length);
      if (hasRisen(points) || points.length === steps) return points;
    }
    // Without a readable example the loop would never end.
    if (points.length === before) return points;
  }
  return points;
}

function batchesOf(
  network: TrainableNetwork,
  dataset: Dataset,
  { batch, dropLast, sampling, seed, data }: TrainRecipe,
  epoch: number,
) {
  const { program } = network;
  const transforms = data?.train?.transforms ?? [];
  const staging = chooseStaging(program, "train", { dataset, transforms });
  const shape = imageOf(program);
  const pass = { batch, dropLast, sampling, seed, epoch };
  return loadBatches(dataset, { ...pass, shape, transforms, staging, shuffle: true });
}

/** Even steps in the logarithm. */
function rateAt(step: number, steps: number): number {
  return LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (step / Math.max(1, steps - 1));
}

function hasRisen(points: readonly RatePoint[]): boolean {
  const means = smoothed(points);
  return points.length > 2 * REACH && means.at(-1)! > RISEN * Math.min(...means);
}

/** Points on each side that a mean takes in. */
const REACH = 3;

/** Means over neighboring steps: losses of single batches jump. */
export function smoothed(points: readonly RatePoint[]): readonly number[] {
  return points.map((_, index) => {
    const near = points.slice(Math.max(0, index - REACH), index + REACH + 1);
    return near.reduce((sum, { loss }) => sum + loss, 0) / near.length;
  });
}

export interface RateSuggestion {
  /** Where the loss falls fastest, and some way below `highest`. */
  readonly rate: number;
  /** Where it is lowest: from there on it rises. */
  readonly highest: number;
}

/** Rates close to that of the lowest loss are about to be too high. */
const MARGIN = 3;

/** A fall of less than this share is noise. */
const LEAST_FALL = 0.02;

/** Undefined where the loss does not fall at any rate. */
export function suggestRate(points: readonly RatePoint[]): RateSuggestion | undefined {
  const means = smoothed(points);
  const lowest = means.indexOf(Math.min(...means));
  const start = means[0];
  if (start === undefined || lowest < REACH || means[lowest]! > (1 - LEAST_FALL) * start) {
    return undefined;
  }
  const slopes = means.slice(0, lowest + 1).map((_, index) => slopeAt(means, index, lowest));
  const steepest = slopes.indexOf(Math.min(...slopes));
  const highest = points[lowest]!.rate;
  return { rate: Math.min(points[steepest]!.rate, highest / MARGIN), highest };
}

/** The fall of the loss a step, over the neighbors up to the lowest loss. */
function slopeAt(means: readonly number[], index: number, last: number): number {
  const [from, to] = [Math.max(0, index - REACH), Math.min(last, index + REACH)];
  return to > from ? (means[to]! - means[from]!) / (to - from) : 0;
}
