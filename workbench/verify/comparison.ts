/** Compares actual with expected values, and how much rounding explains. */
import { HALF_EPSILON, LARGEST_HALF, SMALLEST_NORMAL_HALF } from "../../program/half.js";
import type { Value } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";

export interface Deviation {
  /** The name of the value, and the element in PyTorch's order. */
  readonly value: string;
  readonly index: number;
  readonly expected: number;
  readonly actual: number;
  readonly tolerance: number;
}

export interface Finding {
  /** Elements that were compared. */
  readonly compared: number;
  /** The one that is furthest off, if any is further than rounding explains. */
  readonly deviation?: Deviation;
  /** The largest difference as a share of what rounding explains; not finite for NaN. */
  readonly share: number;
}

/**
 * Errors of sums in f32, in parts of the root of their squared terms: some thousand roundings that
 * go one way.
 */
export const ROUNDING = 1e-4;
/**
 * Two units in the last place of what is stored, and those of functions such as `exp`, which WGSL
 * leaves some room.
 */
export const STORING = 2e-6;

/** Collects comparisons and keeps the worst. */
export class Comparison {
  private compared = 0;
  private worst = 0;
  private deviation: Deviation | undefined;

  /** `halves`, given for programs of mixed precision: the values that are stored in 16 bits. */
  constructor(private readonly halves?: ReadonlySet<unknown>) {}

  /** `value` is what the element is of, where it may be stored in 16 bits. */
  add(element: Deviation, value?: unknown): void {
    this.compared++;
    const isHalf = this.halves?.has(value) ?? false;
    const { expected, actual } = element;
    // Gradients overflow 16 bits now and then, for which the loss scale is there, and what is made
    // of them is not finite either.
    const mayOverflow = isHalf ? overflows(expected) : this.halves && !Number.isFinite(expected);
    if (mayOverflow && !Number.isFinite(actual)) return;
    const tolerance = element.tolerance + (isHalf ? storingHalf(expected) : 0);
    const deviation = { ...element, tolerance };
    const ratio = Math.abs(actual - expected) / tolerance;
    // NaN is infinitely far off.
    const off = Number.isNaN(ratio) ? Infinity : ratio;
    if (off <= this.worst) return;
    this.worst = off;
    if (off > 1) this.deviation = deviation;
  }

  get finding(): Finding {
    const { compared, deviation, worst: share } = this;
    return { compared, deviation, share };
  }
}

const overflows = (value: number) => !(Math.abs(value) < LARGEST_HALF * (1 - HALF_EPSILON));

/**
 * WGSL rounds to the next half or cuts off, which is wrong by a unit in the last place at most, and
 * may take for 0 what is below the smallest normal number.
 */
const storingHalf = (value: number) => HALF_EPSILON * Math.abs(value) + SMALLEST_NORMAL_HALF;

interface ComparedPlaces {
  /** What rounding is measured against, by element; the root of the mean square if absent. */
  readonly magnitudes?: ArrayLike<number> | undefined;
  /** Where the elements lie in the value; in their order if absent. */
  readonly places?: readonly number[] | undefined;
}

/** Compares tensors of one value, or the same elements of it. */
export function compareTensors(
  comparison: Comparison,
  value: Pick<Value, "name" | "type">,
  { expected, actual }: { readonly expected: Tensor; readonly actual: Tensor },
  { magnitudes, places }: ComparedPlaces = {},
): void {
  const isExact = value.type === "u32";
  const typical = rootMeanSquare(expected);
  for (let index = 0; index < expected.data.length; index++) {
    const wanted = expected.data[index]!;
    const own = magnitudes?.[index] ?? typical;
    const magnitude = Number.isFinite(own) ? own : typical;
    const tolerance = isExact ? 0.5 : ROUNDING * (magnitude + Math.abs(wanted)) + 1e-30;
    const came = actual.data[index]!;
    const at = places?.[index] ?? index;
    const element = { value: value.name, index: at, expected: wanted, actual: came, tolerance };
    comparison.add(element, value);
  }
}

/** Of finite numbers: gradients of 16 bits may overflow, each for itself. */
export function rootMeanSquare({ data }: Tensor): number {
  let [squares, count] = [0, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    squares += value * value;
    count++;
  }
  return Math.sqrt(squares / Math.max(1, count));
}

/** Some elements of a tensor, in a column. */
export const gather = ({ data }: Tensor, places: readonly number[]): Tensor =>
  column(places.map((place) => data[place]!));

export const column = (values: readonly number[]): Tensor => ({
  shape: [values.length],
  data: Float64Array.from(values),
});
