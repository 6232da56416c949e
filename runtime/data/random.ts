/**
 * Random decisions about data. Each is a function of (seed, epoch, example, purpose) alone, so that
 * they are the same in whatever order examples are prepared, on every machine, and in a resumed
 * run.
 */
import { threefry, toUnit } from "../../program/random.js";
import type { Chance } from "../../program/transforms.js";
import type { ExampleKey } from "./dataset.js";

/**
 * Second key words. The high bits keep them apart from the streams of parameters and dropout
 * layers.
 */
const SHUFFLE_STREAM = 0x80000000;
const HOLDOUT_STREAM = 0x80000001;
const SAMPLE_STREAM = 0x80000002;
const TUPLE_STREAM = 0x80000003;
const CHOICE_STREAM = 0x80000100;
const TRANSFORM_STREAM = 0xc0000000;

/** What one transform draws for one example. */
export class ExampleRandom {
  private draws = 0;

  constructor(
    readonly seed: number,
    readonly epoch: number,
    readonly example: number,
    /** Position of the transform in its chain. */
    private readonly transform: number,
  ) {}

  /** Uniform in [0, 1). */
  unit(): number {
    const stream = TRANSFORM_STREAM + this.transform * 256 + this.draws++;
    return toUnit(threefry(this.seed >>> 0, stream >>> 0, this.epoch, this.example)[0]);
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A uniform integer from 0 to count - 1. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** A uniform permutation of 0 to count - 1. */
  order(count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const chosen = this.below(last + 1);
      [order[last], order[chosen]] = [order[chosen]!, order[last]!];
    }
    return order;
  }

  /** From the standard normal distribution, by Box and Muller's method. */
  normal(): number {
    // 1 - unit is never 0.
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

/** The order in which an epoch visits its examples: a permutation of 0 .. length - 1. */
export function shuffledOrder(length: number, key: { seed: number; epoch: number }): Uint32Array {
  return permute(length, key.seed, SHUFFLE_STREAM, key.epoch);
}

/** The permutation whose head is held out of a dataset without splits. */
export function holdoutOrder(length: number, seed: number): Uint32Array {
  return permute(length, seed, HOLDOUT_STREAM, 0);
}

/** Two uniform numbers in [0, 1) for the draw in a place of an epoch. */
export function sampleAt(
  { seed, epoch }: Pick<ExampleKey, "seed" | "epoch">,
  place: number,
): readonly [number, number] {
  const [first, second] = threefry(seed >>> 0, SAMPLE_STREAM, epoch, place);
  return [toUnit(first), toUnit(second)];
}

/** Four uniform numbers in [0, 1) for the pictures that an example is made of. */
export function tupleAt({
  seed,
  epoch,
  example,
}: ExampleKey): readonly [number, number, number, number] {
  const draw = (turn: number) => threefry(seed >>> 0, TUPLE_STREAM + turn, epoch, example);
  const [[a, b], [c, d]] = [draw(0), draw(1)];
  return [toUnit(a), toUnit(b), toUnit(c), toUnit(d)];
}

/** Whether all that decides on a transform is drawn for an example. */
export function isDrawn(when: readonly Chance[], key: ExampleKey): boolean {
  return when.every(({ choice, from, to }) => {
    const drawn = choiceAt(key, choice);
    return drawn >= from && drawn < to;
  });
}

/** A uniform number in [0, 1) for a choice of the split and an example, or a batch. */
export function choiceAt({ seed, epoch, example }: ExampleKey, choice: number): number {
  return toUnit(threefry(seed >>> 0, (CHOICE_STREAM + choice) >>> 0, epoch, example)[0]);
}

/** Fisher and Yates's shuffle; swap `i` is decided by counter (round, i). */
function permute(length: number, seed: number, stream: number, round: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const word = threefry(seed >>> 0, stream, round, last)[0];
    const chosen = Math.floor((word / 4294967296) * (last + 1));
    const value = order[last]!;
    order[last] = order[chosen]!;
    order[chosen] = value;
  }
  return order;
}

/** The random decisions of the transform at `position` of the whole chain, for one example. */
export function randomFor({ seed, epoch, example }: ExampleKey, position: number): ExampleRandom {
  return new ExampleRandom(seed, epoch, example, position);
}
