/** `if`: conditions that are known when compiling, and what is said of bodies not taken. */
import type { Expression } from "../../grammar/ast.js";
import { describeConstant, isNumeric } from "../calls/constant.js";
import type { Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";

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
