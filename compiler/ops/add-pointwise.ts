import type { Builder } from "../ir/builder.js";
import { simplify } from "../ir/expression-simplify.js";
import { compactInputs } from "../ir/expression-transform.js";
import type { Expression } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";

/**
 * Adds a pointwise node with a simplified expression and only the inputs it reads; none where it is
 * one of the inputs.
 */
export function addPointwise(
  builder: Builder,
  inputs: readonly Value[],
  expression: Expression,
  origin: Origin,
): Value {
  const compact = compactInputs(inputs, simplify(expression));
  if (compact.expression.kind === "operand") return compact.inputs[compact.expression.index]!;
  return builder.add("pointwise", compact.inputs, { expression: compact.expression }, origin);
}
