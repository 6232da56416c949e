/** What a classifier's output says about each class. */

import type { Program } from "../../program/program.js";
import { sizeOf, tensorsOf, type Scores } from "../../program/tensors.js";
import { InputError } from "../errors.js";

type WithTensors = Pick<Program, "tensors">;

/** The first output. */
export const outputOf = (program: WithTensors) => tensorsOf(program, "prediction")[0]!;

/** What the first output says of classes; undefined where it holds other values. */
export function scoresOf(program: WithTensors): Scores | undefined {
  const { gives } = outputOf(program);
  return gives === "values" ? undefined : gives;
}

/** What the first output says of classes. Throws an InputError where it says nothing. */
export function requireScores(program: WithTensors): Scores {
  const { name, shape } = outputOf(program);
  const scores = scoresOf(program);
  if (scores && sizeOf(shape) === shape[0]) return scores;
  const unit = shape.length === 2 ? "token" : "pixel";
  throw new InputError(
    scores
      ? `\`${name}\` has scores of classes for each ${unit}, not for the example: ` +
          `call \`predict\`, and take the largest score of each ${unit}`
      : `expected an output with scores of classes, and got \`${name}\`: ` +
          "compare it with labels in a loss or metric, or end the model with `softmax`",
  );
}

/**
 * The softmax of a row of logits; a row of probabilities as it is. The largest logit is subtracted
 * first: nothing overflows.
 */
export function toProbabilities(row: Float32Array, scores: Scores): Float32Array {
  if (scores === "probabilities") return row;
  const largest = row.reduce((a, b) => Math.max(a, b));
  const exponentials = row.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
}

/** Of several outputs by name, or the one. */
export const numbersOf = (values: unknown, name: string): Float32Array =>
  values instanceof Float32Array ? values : (values as Named)[name]!;

type Named = Readonly<Record<string, Float32Array>>;

/** What evaluations read of a prediction: the first output. */
export const firstOf = (program: WithTensors, values: unknown): Float32Array =>
  values instanceof Float32Array ? values : (values as Named)[outputOf(program).name]!;

/** Row `index` of a matrix of `count` rows. */
export function rowOf(values: Float32Array, count: number, index: number): Float32Array {
  const length = values.length / count;
  return values.subarray(index * length, (index + 1) * length);
}

export function indexOfLargest(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
