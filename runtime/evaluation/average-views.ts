/** The mean of what a network says of several views of each image, as `ten_crop` makes them. */
import type { Program, ProgramTensor } from "../../program/program.js";
import { sizeOf, tensorsOf } from "../../program/tensors.js";
import { requireScores, toProbabilities } from "./probabilities.js";

/** What a network predicts: rows of the one output, or of several by name. */
type Predicted = Float32Array | Readonly<Record<string, Float32Array>>;

/**
 * Rows, as many as examples, of rows of their views: of probabilities the mean is taken, logits are
 * the logarithms of it, and of other numbers next to these the mean is taken. Throws InputError
 * where the first output holds no scores of classes.
 */
export function averageViews(
  values: Predicted,
  views: number,
  program: Pick<Program, "tensors">,
): Predicted {
  requireScores(program);
  const outputs = tensorsOf(program, "prediction");
  if (values instanceof Float32Array) return averaged(values, views, outputs[0]!);
  return Object.fromEntries(
    outputs.map((output) => [output.name, averaged(values[output.name]!, views, output)]),
  );
}

function averaged(
  values: Float32Array,
  views: number,
  { shape, gives = "values" }: ProgramTensor,
): Float32Array {
  const size = sizeOf(shape);
  const result = new Float32Array(values.length / views);
  for (let row = 0; row < values.length / size; row++) {
    const own = values.subarray(row * size, (row + 1) * size);
    const start = Math.floor(row / views) * size;
    const counted = gives === "values" ? own : toProbabilities(own, gives);
    counted.forEach((value, index) => (result[start + index]! += value / views));
  }
  return gives === "logits" ? result.map((value) => Math.log(Math.max(value, LEAST))) : result;
}

/** The smallest positive normal f32: logarithms stay finite. */
export const LEAST = 2 ** -126;
