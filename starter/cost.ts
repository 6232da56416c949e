import type { Plan } from "./plan.js";

/** A training step computes each product of the prediction again for both gradients. */
const PRODUCTS = 3;
const KERNEL = 3;

/** Multiply-adds of a training step for each example, by the network that a plan is of. */
export function multiplyAdds({ input, widths, isStrided }: Pick<Plan, Needed>): number {
  const [channels, height, width] = input.value as readonly [number, number?, number?];
  if (height === undefined || width === undefined) return PRODUCTS * dense(channels, widths.value);
  let [pixels, before, sum] = [height * width, channels, 0];
  widths.value.forEach((after, stage) => {
    if (stage === 0 && isStrided) pixels /= 4;
    sum += pixels * before * after * KERNEL ** 2;
    pixels /= 4;
    before = after;
  });
  return PRODUCTS * sum;
}

type Needed = "input" | "widths" | "isStrided";

function dense(features: number, widths: readonly number[]): number {
  let sum = 0;
  let before = features;
  for (const width of widths) {
    sum += before * width;
    before = width;
  }
  return sum;
}
