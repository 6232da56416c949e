/**
 * Comparisons and choices as scalar expressions. A comparison is 1 or 0 and has no slope. In
 * kernels, `positive` times a value is a selection: what is not chosen may be infinite or NaN.
 */
import { add, constant, multiply, subtract, unary, type Expression } from "./expression.js";

/** 1 where a > b, else 0; 0 where one of them is NaN. */
export const isGreater = (a: Expression, b: Expression): Expression =>
  unary("positive", subtract(a, b));

/** Above 0 where one of them is NaN. Of constants nothing is left to compute. */
const isAnyNaN = (a: Expression, b: Expression) => add(unary("isnan", a), unary("isnan", b));

/** 1 where the two are not the same number, else 0. */
export const differs = (a: Expression, b: Expression): Expression =>
  unary("positive", add(add(isGreater(a, b), isGreater(b, a)), isAnyNaN(a, b)));

/** 1 where a >= b, else 0. */
export const isAtLeast = (a: Expression, b: Expression): Expression =>
  not(add(isGreater(b, a), isAnyNaN(a, b)));

/** Comparisons as formulas write them. Of NaN, `!=` is 1 and the others are 0, as in PyTorch. */
export const COMPARISONS: Readonly<
  Record<string, ((a: Expression, b: Expression) => Expression) | undefined>
> = {
  ">": isGreater,
  "<": (a, b) => isGreater(b, a),
  ">=": isAtLeast,
  "<=": (a, b) => isAtLeast(b, a),
  "!=": differs,
  "==": (a, b) => not(differs(a, b)),
};

/** 1 where the condition is 0, and the other way round. */
export const not = (condition: Expression): Expression =>
  unary("positive", subtract(constant(1), condition));

/** 1 where both conditions are 1, else 0. */
export const both = (a: Expression, b: Expression): Expression => multiply(a, b);

/** 1 where one of two conditions is 1, or both, else 0. */
export const either = (a: Expression, b: Expression): Expression => unary("positive", add(a, b));

/** Whether an expression is 1 or 0 everywhere. */
export function isCondition(expression: Expression): boolean {
  switch (expression.kind) {
    case "constant":
      return expression.value === 0 || expression.value === 1;
    case "unary":
      return expression.operator === "positive" || expression.operator === "isnan";
    case "binary":
      return (
        ["multiply", "maximum", "minimum"].includes(expression.operator) &&
        isCondition(expression.left) &&
        isCondition(expression.right)
      );
    default:
      return false;
  }
}

/** `a` where the condition is above 0, else `b`. */
export const choose = (condition: Expression, a: Expression, b: Expression): Expression =>
  add(multiply(unary("positive", condition), a), multiply(not(unary("positive", condition)), b));

/** NaN where x is NaN, else 0: what a choice would drop. */
export const nanOf = (x: Expression): Expression =>
  unary("relu", unary("negate", unary("relu", x)));

/** A value where a condition is above 0, else 0. */
export interface Selection {
  readonly condition: Expression;
  readonly value: Expression;
}

type Product = Pick<Extract<Expression, { kind: "binary" }>, "operator" | "left" | "right">;

/** A mask times a value is a selection: cheaper, and 0 times infinity is not NaN. */
export function selectionOf({ operator, left, right }: Product): Selection | undefined {
  if (operator !== "multiply") return undefined;
  if (isPositive(left)) return { condition: left.argument, value: right };
  if (isPositive(right)) return { condition: right.argument, value: left };
  return undefined;
}

type Positive = Extract<Expression, { kind: "unary" }> & { operator: "positive" };

function isPositive(expression: Expression): expression is Positive {
  return expression.kind === "unary" && expression.operator === "positive";
}
