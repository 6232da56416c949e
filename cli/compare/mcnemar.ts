/**
 * McNemar's test in its exact form: do two classifiers that judged the same examples differ in
 * accuracy? (https://en.wikipedia.org/wiki/McNemar%27s_test)
 */

export interface PairedCounts {
  /** Examples that only the first is right about. */
  readonly first: number;
  /** Examples that only the second is right about. */
  readonly second: number;
}

/**
 * The two-sided p-value, 0 to 1: how likely so uneven a split, or a more uneven one, is if both are
 * right equally often. 1 where the two never differ.
 */
export function mcnemar({ first, second }: PairedCounts): number {
  const trials = first + second;
  const fewer = Math.min(first, second);
  let tail = 0;
  // The logarithm of C(trials, k) / 2^trials: the coefficients themselves overflow.
  let logarithm = -trials * Math.LN2;
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(logarithm);
    logarithm += Math.log(trials - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}
