/** Targets of classes in the formulas of scores. */
import type { CallExpression, Span } from "../../grammar/ast.js";
import { insertAfter, insertAt } from "../calls/edits.js";
import { labelUnit } from "../ir/shape.js";
import { isBoxes } from "../network/facts.js";
import type { Place } from "./place.js";
import type { Target } from "./values.js";

const holds = ({ type }: Target) => `one class per ${labelUnit(type.shape)}`;

const holdsBoxes = ({ type, range }: Target) => isBoxes({ type, classes: range?.classes });

/** Whether a target holds something else than numbers to compute with. */
export const isOfNoNumbers = (target: Target): boolean =>
  target.type.dtype === "u32" || holdsBoxes(target);

/** Reports `mean((p - label)^2)`: the number of a class means nothing in a formula. */
export function reportNoNumbers(target: Target, span: Span, { environment }: Place): undefined {
  const { name } = target;
  if (holdsBoxes(target)) {
    return environment.reporter.report("NET2046", {
      message: `a formula computes with numbers, but \`${name}\` holds boxes`,
      span,
      related: [{ span: target.span, message: "declared here" }],
      notes: ["the loss of boxes is `yolo`"],
    });
  }
  return environment.reporter.report("NET2046", {
    message: `a formula computes with numbers, but \`${name}\` holds classes`,
    span,
    related: [{ span: target.span, message: holds(target) }],
    notes: [`\`one_hot(${name})\` is 1 in the channel of the class, and 0 in all others`],
    fixes: [
      {
        title: `write \`one_hot(${name})\``,
        edits: [insertAt(span, "one_hot("), insertAfter(span, ")")],
      },
    ],
  });
}

/** Reports `one_hot` of something else than a target with a number of classes. */
export function reportNoClasses(
  { callee, span }: CallExpression,
  target: Target | undefined,
  { environment }: Place,
): undefined {
  const isOfClasses = target?.type.dtype === "u32";
  const name = target?.name;
  const made = target && !isOfClasses && (holdsBoxes(target) ? "boxes" : "numbers");
  return environment.reporter.report("NET2046", {
    message: !target
      ? `\`${callee.name}\` is of a target of classes, and not of other values`
      : isOfClasses
        ? `\`${callee.name}\` needs to know how many classes \`${name}\` has`
        : `\`${callee.name}\` is of classes, but \`${name}\` holds ${made}`,
    span,
    related: target ? [{ span: target.span, message: "declared here" }] : [],
    notes:
      made === "numbers"
        ? [`numbers are what a formula computes with: \`${name}\` alone`]
        : [`such a target says how many there are: \`target label: u32[N] in 0..10\``],
  });
}
