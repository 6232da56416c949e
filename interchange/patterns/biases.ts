/** A bias that is added by a separate node. */
import type { ForeignNode } from "../foreign-graph.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

/**
 * `MatMul` or a `Conv` without bias, and an `Add` of a constant behind it that has no other reader.
 */
export function bias(
  node: ForeignNode,
  terms: Terms,
  isReadOnce: (value: string) => boolean,
): Recognized | undefined {
  if (node.operator !== "Add") return undefined;
  const [a, b] = node.inputs;
  const [value, constant] = terms.constant(b) ? [a, b] : [b, a];
  const maker = terms.maker(value, "MatMul", "Conv");
  const shape = terms.constant(constant)?.shape;
  if (!maker || !shape || value === undefined || !isReadOnce(value)) return undefined;
  const [input, weight] = maker.inputs;
  const matrix = terms.constant(weight);
  if (!matrix || input === undefined || weight === undefined || constant === undefined) {
    return undefined;
  }
  const isMatMul = maker.operator === "MatMul";
  const channels = isMatMul ? matrix.shape.at(-1) : matrix.shape[0];
  const isRow = isMatMul && matrix.shape.length === 2 && shape.at(-1) === channels;
  const isPlane = !isMatMul && maker.inputs[2] === undefined && shape.at(-3) === channels;
  const count = terms.constant(constant)!.values.length;
  if ((!isRow && !isPlane) || count !== channels) return undefined;
  return {
    operator: isMatMul ? "Gemm" : "Conv",
    inputs: [input, weight, constant],
    attributes: maker.attributes,
    // Where the product is a part of the sum, `linear1/product` of `linear1`, the sum has the name.
    from: maker.name.startsWith(`${node.name}/`) ? { ...maker, name: node.name } : maker,
  };
}
