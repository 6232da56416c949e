import { both, differs, isAtLeast, isGreater, not } from "./expression-choice.js";
import { simplify } from "./expression-simplify.js";
import { contains, sameExpression, type Leaf } from "./expression-transform.js";
import {
  add,
  binary,
  constant,
  multiply,
  subtract,
  unary,
  type BinaryOperator,
  type Expression,
  type UnaryOperator,
} from "./expression.js";

/**
 * A result that was kept. Where it is near 1, it has fewer digits than its argument, but the
 * argument need not be kept as well.
 */
const isStored = ({ kind }: Expression) => kind === "operand";

/** Each factor keeps its digits where the other is near 1. */
const logisticSlope = (x: Expression) =>
  multiply(unary("sigmoid", x), unary("sigmoid", unary("negate", x)));

/** The derivative of a unary operator, of its argument and its own value. */
const unaryRules: Readonly<
  Record<UnaryOperator, (argument: Expression, value: Expression) => Expression>
> = {
  negate: () => constant(-1),
  exp: (_, value) => value,
  log: (argument) => binary("divide", constant(1), argument),
  sqrt: (_, value) => binary("divide", constant(0.5), value),
  expm1: (argument) => unary("exp", argument),
  tanh: (argument, value) =>
    isStored(value)
      ? subtract(constant(1), multiply(value, value))
      : multiply(constant(4), logisticSlope(multiply(constant(2), argument))),
  normal: (argument) => multiply(constant(1 / Math.sqrt(2 * Math.PI)), unary("bell", argument)),
  bell: (argument) => unary("negate", multiply(argument, unary("bell", argument))),
  softplus: (argument) => unary("sigmoid", argument),
  sigmoid: (argument, value) =>
    isStored(value) ? multiply(value, subtract(constant(1), value)) : logisticSlope(argument),
  relu: (_, value) => unary("positive", value),
  positive: () => constant(0),
  stop: () => constant(0),
  isnan: () => constant(0),
};

const ZERO = constant(0);

/** As PyTorch: a base to the power of 0 has no slope, not even at 0. */
const slopeByBase = (base: Expression, exponent: Expression) =>
  multiply(
    differs(exponent, ZERO),
    multiply(exponent, binary("power", base, subtract(exponent, constant(1)))),
  );

/** As PyTorch: 0, which stays 0 to the power of any exponent above 0, has no slope. */
const slopeByExponent = (base: Expression, exponent: Expression) =>
  multiply(
    not(both(not(differs(base, ZERO)), isAtLeast(exponent, ZERO))),
    multiply(binary("power", base, exponent), unary("log", base)),
  );

/**
 * The partial derivatives of a binary operator. Where a maximum or minimum ties, the right side
 * counts.
 */
const binaryRules: Readonly<
  Record<BinaryOperator, (left: Expression, right: Expression) => [Expression, Expression]>
> = {
  add: () => [constant(1), constant(1)],
  subtract: () => [constant(1), constant(-1)],
  multiply: (left, right) => [right, left],
  divide: (left, right) => [
    binary("divide", constant(1), right),
    unary("negate", binary("divide", left, multiply(right, right))),
  ],
  maximum: (left, right) => [isGreater(left, right), subtract(constant(1), isGreater(left, right))],
  minimum: (left, right) => [isGreater(right, left), subtract(constant(1), isGreater(right, left))],
  power: (base, exponent) => [slopeByBase(base, exponent), slopeByExponent(base, exponent)],
};

/**
 * The derivative of `expression` by one of its leaves, simplified. `value` is what the
 * expression itself comes to where that is stored: relu, sigmoid, tanh, exp and sqrt at the root
 * are then differentiated in terms of it, and nothing below the root need be kept for the backward
 * pass.
 */
export function derivative(
  expression: Expression,
  leaf: Leaf,
  value: Expression = expression,
): Expression {
  return simplify(differentiate(expression, leaf, value));
}

function differentiate(expression: Expression, leaf: Leaf, value: Expression): Expression {
  switch (expression.kind) {
    case "operand":
    case "channel":
      return constant(sameExpression(expression, leaf) ? 1 : 0);
    case "constant":
    case "keep":
    case "noise":
    case "batchShare":
      return constant(0);
    case "unary": {
      const { operator, argument } = expression;
      return multiply(unaryRules[operator](argument, value), derivative(argument, leaf));
    }
    case "binary": {
      const { operator, left, right } = expression;
      const [byLeft, byRight] = binaryRules[operator](left, right);
      return add(
        multiply(byLeft, derivative(left, leaf)),
        multiply(byRight, derivative(right, leaf)),
      );
    }
  }
}

/**
 * What an expression that is linear in operand 0 multiplies it by; undefined if it is not, or if it
 * reads other operands or a mask.
 */
export function slopeOf(expression: Expression): Expression | undefined {
  const readsOthers = (part: Expression) =>
    part.kind === "keep" || part.kind === "noise" || (part.kind === "operand" && part.index !== 0);
  const slope = derivative(expression, { kind: "operand", index: 0 });
  const isConstant = !contains(slope, ({ kind }) => kind === "operand");
  return isConstant && !contains(expression, readsOthers) ? slope : undefined;
}
