import { binary, constant, multiply, unary, type Expression } from "../ir/expression.js";

/** Larger exponents are left to the operator: products would round too often. */
export const LARGEST_INTEGER_POWER = 16;

/**
 * `base ^ exponent`. Small integers are products, which are exact; a half is a square root; others
 * are for bases above 0, and NaN below.
 */
export function power(base: Expression, exponent: Expression): Expression {
  if (exponent.kind !== "constant") return binary("power", base, exponent);
  const { value } = exponent;
  if (value === 0.5) return unary("sqrt", base);
  if (!Number.isInteger(value) || Math.abs(value) > LARGEST_INTEGER_POWER) {
    return binary("power", base, exponent);
  }
  if (value < 0) return binary("divide", constant(1), product(base, -value));
  return product(base, value);
}

/** `base` multiplied by itself, in as few roundings as halving takes. */
function product(base: Expression, count: number): Expression {
  if (count === 0) return constant(1);
  if (count === 1) return base;
  const half = product(base, Math.floor(count / 2));
  const even = multiply(half, half);
  return count % 2 === 0 ? even : multiply(even, base);
}
