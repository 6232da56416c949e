/**
 * An exponential mean over about a fiftieth of the run, corrected for its start (as in Adam's
 * moments).
 */
export function smooth(values: readonly number[]): number[] {
  const decay = 1 - 1 / Math.max(1, values.length / 50);
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    sum = decay * sum + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
    return sum / weight;
  });
}
