import { add, binary, constant, multiply, unary, type Expression } from "../ir/expression.js";

/** `min(max(x + 3, 0), 6) / 6`. */
export function hardSigmoidOf(x: Expression): Expression {
  const clamped = binary("minimum", unary("relu", add(x, constant(3))), constant(6));
  return multiply(constant(1 / 6), clamped);
}

/** `min(max(slope * x + offset, 0), 1)`. */
export function clampedLine(x: Expression, slope: number, offset: number): Expression {
  const line = add(multiply(constant(slope), x), constant(offset));
  return binary("minimum", unary("relu", line), constant(1));
}
