import type { BinaryExpression, CallExpression, Expression } from "../../grammar/ast.js";
import { describeConstant, isNumeric } from "../calls/constant.js";
import { type Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";
import { isFunction } from "../calls/functions.js";

/** One of the losses that are added up, and what it counts. */
export interface LossTerm {
  readonly call: CallExpression;
  readonly weight: number;
}

/**
 * `cross_entropy(a, label) + 0.3 * cross_entropy(b, label)` as its terms; undefined after a report.
 */
export function readLossTerms(
  expression: Expression,
  environment: Environment,
): readonly LossTerm[] | undefined {
  if (expression.kind === "call") return [{ call: expression, weight: 1 }];
  if (expression.kind !== "binary") return reportNoSum(expression, environment);
  switch (expression.operator) {
    case "+":
      return readSum(expression, environment);
    case "*":
    case "/":
      return readWeighted(expression, environment);
    default:
      return reportNoSum(expression, environment);
  }
}

function readSum({ left, right }: BinaryExpression, environment: Environment) {
  const first = readLossTerms(left, environment);
  const second = readLossTerms(right, environment);
  return first && second && [...first, ...second];
}

/** A loss times a number, on either side, or divided by one. */
function readWeighted(expression: BinaryExpression, environment: Environment) {
  const { left, right, operator } = expression;
  const isTurned = operator === "*" && !hasLoss(left);
  const [losses, factor] = isTurned ? [right, left] : [left, right];
  if (!hasLoss(losses) || hasLoss(factor)) return reportNoSum(expression, environment);
  const weight = readWeight(factor, environment);
  const terms = readLossTerms(losses, environment);
  const scale = operator === "/" ? 1 / (weight ?? 1) : weight;
  return terms && scale !== undefined
    ? terms.map((term) => ({ ...term, weight: term.weight * scale }))
    : undefined;
}

function readWeight(expression: Expression, environment: Environment): number | undefined {
  const constant = evaluate(expression, environment);
  if (!constant) return undefined;
  if (isNumeric(constant) && constant.value > 0) return constant.value;
  return environment.reporter.report("NET2045", {
    message: `a loss counts a positive number of times, not ${describeConstant(constant)}`,
    span: expression.span,
  });
}

/** Whether a call of something else than a function of numbers is part of the expression. */
function hasLoss(expression: Expression): boolean {
  if (expression.kind === "binary") return hasLoss(expression.left) || hasLoss(expression.right);
  return expression.kind === "call" && !isFunction(expression.callee.name);
}

function reportNoSum({ span }: Expression, { reporter }: Environment): undefined {
  return reporter.report("NET2045", {
    message: "a loss is a sum of losses, each of which may be multiplied by a number",
    span,
    notes: [
      "for instance `cross_entropy(logits, label) + 0.3 * cross_entropy(early, label)`",
      "of a formula the minus is within: `mean(-log(p))`",
    ],
  });
}
