/**
 * What is committed of a tensor that is too large to commit.
 *
 * A count sketch (Charikar, Chen and Farach-Colton, 2002): every element is added, with a hashed
 * sign, to one of BUCKETS sums. It is linear, so the sketches of a and b differ by the sketch of a
 * - b; and the squared norm of a sketch is an unbiased estimate of the squared norm of what was
 * sketched, with a relative deviation of at most sqrt(2 / BUCKETS), 12.5% here. So ||a - b|| is
 * known to about 6% without b being there, wherever the two differ. Small tensors are kept whole.
 */
import { streamOf, wordAt } from "./values.js";

export const BUCKETS = 128;
/** Tensors of at most this many elements are kept whole. */
export const WHOLE = 256;

export interface Summary {
  readonly shape: readonly number[];
  /** Euclidean norm of the whole tensor. */
  readonly norm: number;
  /** The tensor itself, row-major, or its sketch. */
  readonly values?: readonly number[];
  readonly sketch?: readonly number[];
}

const stream = streamOf("sketch");

export function sketch(values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(BUCKETS);
  for (let index = 0; index < values.length; index++) {
    const word = wordAt(stream, index);
    const sign = 1 - ((word >>> 30) & 2);
    sums[word % BUCKETS]! += sign * values[index]!;
  }
  return sums;
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index]! - b[index]!) ** 2;
  return Math.sqrt(sum);
}

/**
 * ||actual - expected|| / ||expected||: exact for small tensors, estimated for others. NaN stays
 * NaN.
 */
export function relativeError(actual: ArrayLike<number>, expected: Summary): number {
  const length = expected.shape.reduce((product, size) => product * size, 1);
  if (actual.length !== length) {
    throw new Error(
      `expected ${length} values of shape [${expected.shape.join(", ")}], got ${actual.length}`,
    );
  }
  const difference = expected.values
    ? distance(actual, expected.values)
    : distance(sketch(actual), expected.sketch!);
  return difference / expected.norm;
}
