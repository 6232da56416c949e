/**
 * What examples came to: the parts of loss and metrics, each a sum and the weight that it is over.
 * Sums and weights of slices, batches and steps add up; nothing but `meansOf` divides.
 */
import type { ClassTotal, Program, ProgramSum } from "../program/program.js";
import type { TensorData } from "./examples.js";

/** A part of a metric. */
export interface MeasuredSum {
  readonly metric: string;
  /** What its mean counts in the metric. */
  readonly factor: number;
  readonly sum: number;
  /** What makes a mean of the sum: examples, the weights of their classes, or a union. */
  readonly weight: number;
  /** Present where the metric is the mean over classes with a weight. */
  readonly over?: number | undefined;
  /** Whether the metric is e to the power of the mean. */
  readonly isExponential?: true | undefined;
}

export interface Measurement {
  readonly examples: number;
  /** Those of which a value was not finite: they count as wrong. */
  readonly notFinite: number;
  readonly sums: readonly MeasuredSum[];
}

/** What a program's means by class weights divide by, over the examples of a step or a call. */
export function totalsOf(
  { classTotals, tensors }: Pick<Program, "classTotals" | "tensors">,
  data: TensorData,
): readonly number[] {
  return classTotals.map(({ of, target, weights }) => {
    const index = tensors.findIndex(({ role, name }) =>
      of === "labels" ? role === "target" && name === target : role === "partner",
    );
    return totalOf(weights, data[index]);
  });
}

/** What classes weigh together. */
export function totalOf(
  weights: ClassTotal["weights"],
  classes: ArrayLike<number> | undefined,
): number {
  let total = 0;
  for (let index = 0; index < (classes?.length ?? 0); index++)
    total += weights[classes![index]!] ?? 0;
  return total;
}

/** What a list left in the buffer `metrics`, of this many examples. */
export function readMeasurement(
  sums: readonly ProgramSum[],
  values: Float32Array,
  { images, totals }: { readonly images: number; readonly totals: readonly number[] },
): Measurement {
  return {
    examples: images,
    notFinite: Math.max(0, ...values.subarray(sums.length)),
    sums: sums.map(({ metric, factor, total, over, isExponential }, index) => {
      const weight = values[over!] ?? totals[total!] ?? images;
      return { metric, factor, sum: values[index]!, weight, over, isExponential };
    }),
  };
}

/** Both together. A part that only one of them has stays what it is. */
export function addMeasurements(first: Measurement, second: Measurement): Measurement {
  const { length } = first.sums.length > second.sums.length ? first.sums : second.sums;
  return {
    examples: first.examples + second.examples,
    notFinite: first.notFinite + second.notFinite,
    sums: Array.from({ length }, (_, index) => addSums(first.sums[index], second.sums[index])),
  };
}

function addSums(first: MeasuredSum | undefined, second: MeasuredSum | undefined): MeasuredSum {
  if (!first || !second) return (first ?? second)!;
  return { ...first, sum: first.sum + second.sum, weight: first.weight + second.weight };
}

/** Loss and metrics by name: of each the sum of its parts' means. */
export function meansOf({ sums }: Measurement): Readonly<Record<string, number>> {
  const means: Record<string, number> = {};
  for (const { metric, factor, sum, weight, over, isExponential } of sums) {
    const classes = sums.filter(
      (each) => over && each.metric === metric && each.over && each.weight,
    );
    // Without a pixel that counts, there is nothing to divide.
    const mean = (means[metric] ?? 0) + (weight && (factor * sum) / weight / (classes.length || 1));
    means[metric] = isExponential ? Math.exp(mean) : mean;
  }
  return means;
}
