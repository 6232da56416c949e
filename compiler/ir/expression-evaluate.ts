import type { BinaryOperator, Expression, UnaryOperator } from "./expression.js";

/** What the leaves of an expression are at one element. */
export interface Environment {
  operand(index: number): number;
  channel(index: number): number;
  keep(rate: number, stream: number): number;
  /** 1 / the examples of the step. */
  readonly batchShare: number;
}

export const unaryFunctions: Readonly<Record<UnaryOperator, (argument: number) => number>> = {
  negate: (argument) => -argument,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  erf,
  sigmoid: (argument) => 1 / (1 + Math.exp(-argument)),
  relu: (argument) => Math.max(argument, 0),
  positive: (argument) => (argument > 0 ? 1 : 0),
};

export const binaryFunctions: Readonly<
  Record<BinaryOperator, (left: number, right: number) => number>
> = {
  add: (left, right) => left + right,
  subtract: (left, right) => left - right,
  multiply: (left, right) => left * right,
  divide: (left, right) => left / right,
  maximum: Math.max,
  minimum: Math.min,
  power: Math.pow,
};

/** The value of an expression at one element, in double precision. */
export function evaluate(expression: Expression, environment: Environment): number {
  switch (expression.kind) {
    case "operand":
      return environment.operand(expression.index);
    case "channel":
      return environment.channel(expression.index);
    case "constant":
      return expression.value;
    case "keep":
      return environment.keep(expression.rate, expression.stream);
    case "batchShare":
      return environment.batchShare;
    case "unary":
      return unaryFunctions[expression.operator](evaluate(expression.argument, environment));
    case "binary":
      return binaryFunctions[expression.operator](
        evaluate(expression.left, environment),
        evaluate(expression.right, environment),
      );
  }
}

/** The error function in double precision: exp(-x^2) times a series of positive terms (Abramowitz and Stegun 7.1.6). */
function erf(x: number): number {
  // Beyond 6 it is 1 in double precision.
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
