import type { CallExpression, Span } from "../../grammar/ast.js";

/** A call that is not in the text. */
export function synthesize(
  name: string,
  span: Span,
  values: Readonly<Record<string, CallExpression["arguments"][number]["value"]>>,
): CallExpression {
  const given = Object.entries(values).map(([key, value]) => ({
    name: { kind: "identifier" as const, name: key, span },
    value,
    span,
  }));
  const callee = { kind: "identifier" as const, name, span };
  return { kind: "call", callee, arguments: given, hasParentheses: true, span };
}
