/** The mean of what a network says of several views of each image, as `ten_crop` makes them. */
import type { Program } from "../../program/program.js";
import { sizeOf, tensorsOf } from "../../program/tensors.js";
import { requireScores, toProbabilities } from "./probabilities.js";

/**
 * Rows of scores, as many as examples, of rows of their views: of probabilities the mean is taken,
 * and logits are the logarithms of it. Throws InputError where the output holds no scores.
 */
export function averageViews(
  values: Float32Array,
  views: number,
  program: Pick<Program, "tensors">,
): Float32Array {
  const scores = requireScores(program);
  const classes = sizeOf(tensorsOf(program, "prediction")[0]!.shape);
  const result = new Float32Array(values.length / views);
  for (let row = 0; row < values.length / classes; row++) {
    const probabilities = toProbabilities(
      values.subarray(row * classes, (row + 1) * classes),
      scores,
    );
    const start = Math.floor(row / views) * classes;
    probabilities.forEach((value, index) => (result[start + index]! += value / views));
  }
  return scores === "logits" ? result.map((value) => Math.log(Math.max(value, LEAST))) : result;
}

/** The smallest positive normal f32: logarithms stay finite. */
export const LEAST = 2 ** -126;
