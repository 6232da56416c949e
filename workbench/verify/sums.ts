/** Sums over channels, with what their rounding errors are measured against. */
import { imageSizes } from "../../compiler/ops/tensors.js";
import type { AnyNode } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";
import { forEachSpread } from "../../compiler/ops/reduce.js";
import { rootMeanSquare, ROUNDING, STORING } from "./comparison.js";

/** A sum, with what its rounding errors are measured against. */
export interface SampledSum {
  readonly value: number;
  /** The root of the sum of its terms' squares. */
  readonly magnitude: number;
  /** What the roundings of its additions come to where all terms have one sign; 0 if absent. */
  readonly drift?: number;
}

export const toleranceOf = ({ value, magnitude, drift = 0 }: SampledSum) =>
  ROUNDING * magnitude + drift + STORING * Math.abs(value) + 1e-30;

/** An addition in f32 is wrong by this part of the sum at most. */
const UNIT = 2 ** -24;

/** Adds up terms, and what is to be known of their sum. */
export class Summation {
  private value = 0;
  private squares = 0;
  private sizes = 0;
  private terms = 0;

  add(term: number): void {
    this.value += term;
    this.squares += term * term;
    this.sizes += Math.abs(term);
    this.terms++;
  }

  /**
   * Each of n additions rounds a partial sum of at most the terms' sizes. The errors have no common
   * sign, so that they grow with the root of n. Equal terms are the worst case: a 2^-24th of their
   * sum at each addition, which terms of mixed signs do not reach.
   */
  get sum(): SampledSum {
    const drift = UNIT * Math.sqrt(this.terms) * this.sizes;
    return { value: this.value, magnitude: Math.sqrt(this.squares), drift };
  }
}

/** The sum of a channel over batch and space. */
export function channelSum({ shape, data }: Tensor, channel: number): SampledSum {
  const { images, channels, pixels } = imageSizes(shape);
  const summation = new Summation();
  for (let image = 0; image < images; image++) {
    const start = (image * channels + channel) * pixels;
    for (let index = start; index < start + pixels; index++) summation.add(data[index]!);
  }
  return summation.sum;
}

const channelMagnitudes = (x: Tensor): readonly number[] =>
  Array.from(
    { length: imageSizes(x.shape).channels },
    (_, channel) => channelSum(x, channel).magnitude,
  );

/** Of sums along axes: roots of sums of squares, or of a typical sum where that is larger. */
function sumMagnitudes(x: Tensor, sums: Tensor): ArrayLike<number> {
  const squares = new Float64Array(sums.data.length);
  forEachSpread(x.shape, sums.shape, (large, small) => (squares[small]! += x.data[large]! ** 2));
  const typical = rootMeanSquare(sums);
  return squares.map((sum) => Math.max(Math.sqrt(sum), typical));
}

/** What rounding errors are measured against where sums may cancel: by output and element. */
export function magnitudesOf(
  node: AnyNode,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): readonly (ArrayLike<number> | undefined)[] | undefined {
  switch (node.kind) {
    case "reduce":
      return node.attributes.by === "sum" ? [sumMagnitudes(inputs[0]!, outputs[0]!)] : undefined;
    case "channelSum":
      return [channelMagnitudes(inputs[0]!)];
    case "channelStatistics":
      return momentMagnitudes(inputs[0]!);
    case "normalizeGradient":
      return gradientMagnitudes(inputs, node.attributes.epsilon);
    default:
      return undefined;
  }
}

/** Of mean and variance: roots of mean squares, and mean squares. */
function momentMagnitudes(x: Tensor): readonly (readonly number[])[] {
  const count = x.data.length / imageSizes(x.shape).channels;
  const roots = channelMagnitudes(x).map((root) => root / Math.sqrt(count));
  return [roots, roots.map((root) => root * root)];
}

/** Of the gradients of bias and weight, slope and offset (ops/normalize-gradient.ts). */
function gradientMagnitudes(
  [dy, x, mean, variance]: readonly Tensor[],
  epsilon: number,
): readonly (readonly number[])[] {
  const { channels, pixels } = imageSizes(x!.shape);
  const count = x!.data.length / channels;
  const bias = channelMagnitudes(dy!);
  const squares = new Float64Array(channels);
  x!.data.forEach((value, index) => {
    const channel = Math.floor(index / pixels) % channels;
    squares[channel]! += (dy!.data[index]! * (value - mean!.data[channel]!)) ** 2;
  });
  const perDeviation = bias.map((_, c) => 1 / Math.sqrt(variance!.data[c]! + epsilon));
  const weight = bias.map((_, c) => Math.sqrt(squares[c]!) * perDeviation[c]!);
  const slope = weight.map((value, c) => (value / count) * perDeviation[c]!);
  const offset = slope.map((value, c) => bias[c]! / count + value * Math.abs(mean!.data[c]!));
  return [bias, weight, slope, offset];
}
