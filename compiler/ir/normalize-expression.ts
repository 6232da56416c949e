import {
  add,
  binary,
  channel,
  constant,
  multiply,
  operand,
  subtract,
  unary,
  type Expression,
} from "./expression.js";
import type { Node } from "./graph.js";

/**
 * 1 / sqrt(variance + epsilon) as a divisor: the deviation of a channel whose variance is the
 * operand `index`.
 */
export const deviation = (index: number, epsilon: number): Expression =>
  unary("sqrt", add(channel(index), constant(epsilon)));

/**
 * `normalize` as an expression: x is operand 0, mean, variance, weight and bias are channels 1 to
 * 4.
 */
export function normalizeExpression({
  inputs,
  attributes: { epsilon },
}: Pick<Node<"normalize">, "inputs" | "attributes">): Expression {
  const normalized = normalizedExpression(epsilon);
  return inputs.length > 3 ? add(multiply(normalized, channel(3)), channel(4)) : normalized;
}

const normalizedExpression = (epsilon: number) =>
  binary("divide", subtract(operand(0), channel(1)), deviation(2, epsilon));
