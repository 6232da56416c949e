/** Adaptive average pooling as products with two matrices, whose windows differ in size. */
import type { ForeignNode, ForeignTensor } from "../foreign-graph.js";
import { transposed } from "../tensors.js";
import { isNear } from "../operators/activations.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

/** rows x image x columns */
export function adaptivePool(node: ForeignNode, terms: Terms): Recognized | undefined {
  const averaged = node.operator === "MatMul" ? terms.maker(node.inputs[0], "MatMul") : undefined;
  const [left, x] = averaged?.inputs ?? [];
  const [rows, columns] = [terms.constant(left), terms.constant(node.inputs[1])];
  if (x === undefined || rows?.shape.length !== 2 || columns?.shape.length !== 2) return undefined;
  if (![rows, transposed(columns, [1, 0])].every(isOfMeans)) return undefined;
  const attributes = {
    input_size: [rows.shape[1]!, columns.shape[0]!],
    output_size: [rows.shape[0]!, columns.shape[1]!],
  };
  return { operator: "AdaptiveAveragePool", inputs: [x], attributes };
}

/**
 * Whether row i has the mean of the elements from floor(i * size / count) up to, not including,
 * ceil((i + 1) * size / count).
 */
function isOfMeans({ shape, values }: ForeignTensor): boolean {
  const [count, size] = shape as [number, number];
  return values.every((value, index) => {
    const [window, at] = [Math.floor(index / size), index % size];
    const start = Math.floor((window * size) / count);
    const end = Math.ceil(((window + 1) * size) / count);
    return isNear(value, at >= start && at < end ? 1 / (end - start) : 0);
  });
}
