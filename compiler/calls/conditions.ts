/** `and`, `or` and `not` of constants. */
import type { BinaryExpression, Expression, UnaryExpression } from "../../grammar/ast.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import { type Constant, describeConstant, isNumeric } from "./constant.js";
import { insertAfter } from "./edits.js";
import type { Environment } from "./environment.js";

/**
 * Mistakes that are mistakes whatever the condition is. Values and shapes are those of the body
 * that is taken: where it is not, `conv(width / 3)` may be what the condition is there to avoid.
 */
export const NAME_CODES: ReadonlySet<DiagnosticCode> = new Set([
  ...(["NET1001", "NET1002", "NET1003", "NET1006", "NET1007", "NET1008"] as const),
  ...(["NET1012", "NET1021", "NET1034"] as const),
]);

/** The value of a constant expression; undefined after a report. */
export type Evaluate = (expression: Expression, environment: Environment) => Constant | undefined;

/** What is not needed is checked for its names only. */
export function checkNames(
  expression: Expression,
  environment: Environment,
  evaluate: Evaluate,
): void {
  const reporter = environment.reporter.limitedTo(NAME_CODES);
  evaluate(expression, { ...environment, reporter });
}

export function evaluateNot(
  { operand }: UnaryExpression,
  environment: Environment,
  evaluate: Evaluate,
): Constant | undefined {
  const constant = evaluate(operand, environment);
  const value = constant && truthOf(constant, operand, "not", environment);
  return value === undefined ? undefined : { kind: "boolean", value: !value };
}

/**
 * `n > 0 and width / n > 2`: where the left side decides, the right one need not have a value, as
 * in Python.
 */
export function evaluateJoined(
  { operator, left, right }: BinaryExpression,
  environment: Environment,
  evaluate: Evaluate,
): Constant | undefined {
  const read = (side: Expression) => {
    const constant = evaluate(side, environment);
    return constant && truthOf(constant, side, operator, environment);
  };
  const first = read(left);
  if (first === (operator === "or")) {
    checkNames(right, environment, evaluate);
    return { kind: "boolean", value: first };
  }
  const value = read(right);
  return first === undefined || value === undefined ? undefined : { kind: "boolean", value };
}

/** The value of a condition; undefined after a report. */
function truthOf(
  constant: Constant,
  { span }: Expression,
  operator: string,
  { reporter }: Environment,
): boolean | undefined {
  if (constant.kind === "boolean") return constant.value;
  return reporter.report("NET1014", {
    message: `\`${operator}\` needs true or false, but gets ${describeConstant(constant)}`,
    span,
    notes: ["for instance `stride > 1 and width < 64`"],
    fixes: isNumeric(constant)
      ? [{ title: "add `!= 0`", edits: [insertAfter(span, " != 0")] }]
      : [],
  });
}
