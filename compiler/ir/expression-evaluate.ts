import type { BinaryOperator, Expression, UnaryOperator } from "./expression.js";

/** What the leaves of an expression are at one element. */
export interface Environment {
  operand(index: number): number;
  channel(index: number): number;
  keep(mask: Extract<Expression, { kind: "keep" }>): number;
  noise(drawn: Extract<Expression, { kind: "noise" }>): number;
  /** 1 / the examples of the step. */
  readonly batchShare: number;
}

export const unaryFunctions: Readonly<Record<UnaryOperator, (argument: number) => number>> = {
  negate: (argument) => -argument,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  normal: (argument) => erfc(-argument * Math.SQRT1_2) / 2,
  bell: (argument) => Math.exp((-argument * argument) / 2),
  softplus: (argument) => Math.max(argument, 0) + Math.log1p(Math.exp(-Math.abs(argument))),
  sigmoid: (argument) => 1 / (1 + Math.exp(-argument)),
  relu: (argument) => Math.max(argument, 0),
  positive: (argument) => (argument > 0 ? 1 : 0),
  stop: (argument) => argument,
  isnan: (argument) => (Number.isNaN(argument) ? 1 : 0),
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
  power: (left, right) => (isAlwaysOne(left, right) ? 1 : Math.pow(left, right)),
};

/** 1 to any power, and -1 to an infinite one, as in C and PyTorch; JavaScript has NaN there. */
const isAlwaysOne = (left: number, right: number) =>
  left === 1 || (left === -1 && Math.abs(right) === Infinity);

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
      return environment.keep(expression);
    case "noise":
      return environment.noise(expression);
    case "batchShare":
      return environment.batchShare;
    case "unary":
      return unaryFunctions[expression.operator](evaluate(expression.argument, environment));
    case "binary":
      return isSkipped(expression, environment)
        ? 0
        : binaryFunctions[expression.operator](
            evaluate(expression.left, environment),
            evaluate(expression.right, environment),
          );
  }
}

/** Whether a product is a selection, as in kernels, that does not take its value. */
function isSkipped(
  { operator, left, right }: Extract<Expression, { kind: "binary" }>,
  environment: Environment,
): boolean {
  if (operator !== "multiply") return false;
  return [left, right].some(
    (factor) =>
      factor.kind === "unary" &&
      factor.operator === "positive" &&
      evaluate(factor, environment) === 0,
  );
}

/**
 * Below 2, 1 minus the error function: exp(-x^2) times a series of positive terms (Abramowitz and
 * Stegun 7.1.6).
 */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x >= 2) return erfcTail(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * The continued fraction x + (1/2) / (x + (2/2) / (x + (3/2) / (x + ...))), from its end (7.1.14).
 */
function erfcTail(x: number): number {
  let fraction = x;
  for (let n = 120; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
