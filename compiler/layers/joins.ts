import type { GraphBuilder } from "../ir/builder.js";
import { add, multiply, operand } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";

/** What `residual` and `concat`, and the layers of the same meaning, are in ops. */

/** The sum of two values of one shape. */
export function addValues(
  builder: GraphBuilder,
  [a, b]: readonly [Value, Value],
  origin: Origin,
): Value {
  const expression = add(operand(0), operand(1));
  return builder.add("pointwise", [a, b], { expression }, origin);
}

/** The product of two values of one shape, element by element. */
export function multiplyValues(
  builder: GraphBuilder,
  [a, b]: readonly [Value, Value],
  origin: Origin,
): Value {
  const expression = multiply(operand(0), operand(1));
  return builder.add("pointwise", [a, b], { expression }, origin);
}

/** Values one after the other along their channels. */
export function concatenateValues(
  builder: GraphBuilder,
  values: readonly Value[],
  origin: Origin,
): Value {
  return values.length === 1 ? values[0]! : builder.add("concatenate", values, {}, origin);
}
