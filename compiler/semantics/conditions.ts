/** `if`: conditions that are known when compiling, and what is said of bodies not taken. */
import type { Expression } from "../../grammar/ast.js";
import { describeConstant, isNumeric } from "../calls/constant.js";
import type { Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";

/**
 * Mistakes that are mistakes whatever the condition is. Values and shapes are those of the body
 * that is taken: where it is not, `conv(width / 3)` may be what the condition is there to avoid.
 */
export const NAME_CODES: ReadonlySet<DiagnosticCode> = new Set([
  ...(["NET1001", "NET1002", "NET1003", "NET1006", "NET1007", "NET1008"] as const),
  ...(["NET1012", "NET1021", "NET1034"] as const),
]);

/** Whether a condition is true; undefined where a mistake hides it. */
export function readCondition(
  condition: Expression,
  environment: Environment,
): boolean | undefined {
  const constant = evaluate(condition, environment);
  if (!constant) return undefined;
  if (constant.kind === "boolean") return constant.value;
  const { span } = condition;
  const end = { ...span, start: span.end };
  return environment.reporter.report("NET1042", {
    message: `\`if\` needs true or false, not ${describeConstant(constant)}`,
    span,
    notes: ["for instance `if stride > 1 { ... }`, with numbers known when compiling"],
    fixes: isNumeric(constant)
      ? [{ title: "add `!= 0`", edits: [{ span: end, newText: " != 0" }] }]
      : [],
  });
}
