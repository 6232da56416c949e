/** What a classifier's output says about each class. */

import type { Program } from "../../program/program.js";
import { scoresOf, sizeOf, tensorsOf, type Scores } from "../../program/tensors.js";
import { InputError } from "../errors.js";

/** What the network's output says of classes. Throws an InputError where it says nothing. */
export function requireScores(program: Pick<Program, "tensors">): Scores {
  const scores = scoresOf(program);
  const outputs = tensorsOf(program, "prediction");
  const names = outputs.map(({ name }) => `\`${name}\``);
  if (scores !== undefined && outputs.every(({ shape }) => sizeOf(shape) > shape[0]!)) {
    throw new InputError(
      `${names.join()} has scores of classes for each pixel, not for the image: ` +
        "call `predict`, and take the largest score of each pixel",
    );
  }
  if (scores !== undefined) return scores;
  throw new InputError(
    `expected an output with scores of classes, and got ${names.join(" and ") || "none"}: ` +
      "compare one output with labels in a loss or a metric, or end the model with `softmax`",
  );
}

/**
 * The softmax of a row of logits; a row of probabilities as it is. The largest logit is subtracted
 * first: nothing overflows.
 */
export function toProbabilities(row: Float32Array, scores: Scores): Float32Array {
  if (scores === "probabilities") return row;
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = row.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** Row `index` of a matrix of `count` rows. */
export function rowOf(values: Float32Array, count: number, index: number): Float32Array {
  const length = values.length / count;
  return values.subarray(index * length, (index + 1) * length);
}

export function indexOfLargest(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
