import type { Span } from "../../grammar/ast.js";
import type { Constant } from "./constant.js";
import type { Reporter } from "./reporter.js";

/** A number as a constant; undefined after a report where a double does not hold it. */
export function numberConstant(
  constant: Constant & { readonly value: number },
  span: Span,
  { reporter }: { readonly reporter: Reporter },
): Constant | undefined {
  const { kind, value } = constant;
  if (Number.isNaN(value)) {
    return reporter.report("NET1014", { message: "this has no value that is a number", span });
  }
  if (kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value)) return constant;
  return reporter.report("NET1036", {
    message:
      kind === "integer"
        ? `this integer is beyond ${Number.MAX_SAFE_INTEGER}, where integers are no longer exact`
        : "this number is beyond 1.8e308, the largest that a double holds",
    span,
  });
}
