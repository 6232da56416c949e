import { summedWords } from "../../program/program.js";
import { sumChunks, sumsOfValue } from "../ir/graph.js";
import { isSequence } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";

/**
 * Sums over the batch of any number of [N] values, and how many examples have one that is not
 * finite; and sums over batch and rows of [N, T, K] values.
 */
export const batchSums: OpDefinition<"batchSums"> = {
  keepsOrder: true,

  outputs(inputs) {
    const rows = inputs.findIndex(({ shape }) => isSequence(shape));
    const end = rows < 0 ? inputs.length : rows;
    ensure(
      inputs.every(({ shape }, index) => (index < end ? shape.length === 1 : isSequence(shape))),
      () => "expected values [N], and then values [N, T, K]",
    );
    const sums = inputs.reduce((sum, input) => sum + sumsOfValue(input), 0);
    return [{ shape: [summedWords(sums)], type: "f32" }];
  },

  reference(inputs, { shares }, _, [output]) {
    const single = inputs.slice(0, shares.length);
    const sums = single.map(({ data }, index) =>
      sumOf(data, shares[index] ? Number.isFinite : () => true),
    );
    const columns = inputs.slice(shares.length).flatMap(columnSums);
    const data = new Float64Array(Number(output!.shape[0]));
    data.set([...sums, ...columns, ...sumChunks(single).map(countUnfit)]);
    return [{ shape: [data.length], data }];
  },
};

function columnSums({ shape, data }: Tensor): readonly number[] {
  const sums = Array.from({ length: shape[2]! }, () => 0);
  data.forEach((value, index) => (sums[index % sums.length]! += value));
  return sums;
}

function sumOf(values: ArrayLike<number>, counts: (value: number) => boolean): number {
  let sum = 0;
  for (const value of Array.from(values)) if (counts(value)) sum += value;
  return sum;
}

function countUnfit(inputs: readonly Tensor[]): number {
  const isUnfit = (_: unknown, example: number) =>
    inputs.some(({ data }) => !Number.isFinite(data[example]));
  return Array.from(inputs[0]!.data).filter(isUnfit).length;
}
