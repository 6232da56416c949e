import { summedWords } from "../../program/program.js";
import { sumChunks } from "../ir/graph.js";
import { BATCH } from "../ir/shape.js";
import { requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";

/**
 * Sums over the batch of any number of [N] values, and how many examples have one that is not
 * finite.
 */
export const batchSums: OpDefinition<"batchSums"> = {
  outputs(inputs) {
    for (const input of inputs) requireShape(input, [BATCH]);
    return [{ shape: [summedWords(inputs.length)], type: "f32" }];
  },

  reference(inputs, { shares }) {
    const sums = inputs.map(({ data }, index) =>
      sumOf(data, shares[index] ? Number.isFinite : () => true),
    );
    const data = Float64Array.from([...sums, ...sumChunks(inputs).map(countUnfit)]);
    return [{ shape: [data.length], data }];
  },
};

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
