/** Scores of two values of the network: `kl(logits, teacher.logits)`. */
import { formatShape, sameShape } from "../ir/shape.js";
import type { CallExpression } from "../../grammar/ast.js";
import type { Environment } from "../calls/environment.js";
import type { Bound } from "../calls/signature.js";
import type { ScoreDefinition } from "../layers/scores.js";
import { namesApart, shortNameOf } from "./score-use.js";
import type { NamedValue } from "./values.js";

export interface LogitUse {
  readonly call: CallExpression;
  readonly definition: ScoreDefinition;
  readonly bound: Bound;
  readonly logits: NamedValue;
  readonly other: NamedValue;
}

/** Both must be logits of one shape, and different values. False after a report. */
export function checkLogits(use: LogitUse, { reporter }: Environment): boolean {
  const { call, bound, definition, logits, other } = use;
  const [first, second] = definition.positional as [string, string];
  const [made, wanted] = [formatShape(logits.shape!), formatShape(other.shape!)];
  const rank = logits.shape!.length;
  if (logits.name === other.name) {
    reporter.report("NET2047", {
      message: `\`${call.callee.name}\` compares \`${shortNameOf(logits)}\` with itself`,
      span: bound.spans.get(second)!,
      notes: ["it is always 0"],
    });
    return false;
  }
  if (rank < 2 || rank > 4) {
    reporter.report("NET2009", {
      message:
        `\`${call.callee.name}\` needs logits [N, classes], [N, classes, height, width] ` +
        `or [N, tokens, classes], but \`${shortNameOf(logits)}\` is ${made}`,
      span: bound.spans.get(first)!,
      related: [{ span: logits.span, message: `gives ${made}` }],
    });
    return false;
  }
  if (sameShape(logits.shape!, other.shape!)) return true;
  const [ownName, otherName] = namesApart(logits, other);
  reporter.report("NET2047", {
    message:
      `\`${call.callee.name}\` needs one shape, ` +
      `but \`${ownName}\` is ${made} and \`${otherName}\` is ${wanted}`,
    span: bound.spans.get(first)!,
    label: `is ${made}`,
    related: [
      { span: logits.span, message: `gives ${made}` },
      { span: other.span, message: `gives ${wanted}` },
    ],
  });
  return false;
}
