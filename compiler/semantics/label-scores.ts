import type { Fix } from "../diagnostics/diagnostic.js";
import { formatShape } from "../ir/shape.js";
import { warnOfActivation } from "./applied-twice.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";
import type { NamedValue, Target } from "./values.js";

/** Logits must be [N, classes], and labels classes. False after a report. */
export function checkLabelScore(use: ScoreUse, environment: Environment): boolean {
  const { prediction, kind, target } = use;
  if (target.type.dtype !== "u32") return reportNumbers(use, environment);
  if (prediction.shape!.length !== 2) return reportRank(use, environment);
  // The loss speaks for the metrics, which are taken of the same values.
  if (kind === "loss") warnOfActivation(use, environment);
  if (kind === "loss" && !checkClasses(use, environment)) return false;
  return checkClassWeights(use, environment) && checkK(use, environment);
}

function reportNumbers(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, kind } = use;
  reporter.report("NET2046", {
    message:
      `\`${call.callee.name}\` needs labels \`u32[N]\`, ` + `but \`${target.name}\` holds numbers`,
    span: spanOf(use, "target"),
    related: [{ span: target.span, message: `is ${formatShape(target.type.shape)} of numbers` }],
    notes:
      kind === "loss"
        ? ["losses of numbers are `mse`, `l1` and `bce_with_logits`"]
        : ["metrics of numbers are `mse`, `mae` and `binary_accuracy`"],
  });
  return false;
}

function reportRank(use: ScoreUse, { reporter }: Environment): false {
  const { call, prediction: logits, complaints } = use;
  if (complaints.has(logits.name)) return false;
  complaints.add(logits.name);
  reporter.report("NET2009", {
    message:
      `\`${call.callee.name}\` needs logits [N, classes], ` +
      `but \`${shortNameOf(logits)}\` is ${formatShape(logits.shape!)}`,
    span: spanOf(use, "prediction"),
    label: `has ${logits.shape!.length} axes, not 2`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
    notes: ["end the network with `flatten -> linear(classes)`"],
  });
  return false;
}

function checkClasses(use: ScoreUse, { reporter }: Environment): boolean {
  const { prediction: logits, target } = use;
  const width = Number(logits.shape![1]);
  if (!target.range && width === 1) return reportOneLogit(use, { reporter });
  if (!target.range || target.range.classes === width) return true;
  const { classes, span } = target.range;
  reporter.report("NET2007", {
    message:
      `\`${shortNameOf(logits)}\` has ${width} values per image, ` +
      `but \`${target.name}\` has ${classes} classes`,
    span: spanOf(use, "prediction"),
    label: `${width} values, one per class`,
    related: [
      { span, message: `labels go from 0 to ${classes - 1}` },
      { span: logits.span, message: `gives ${formatShape(logits.shape!)}` },
    ],
    fixes: widthFixes(logits, target),
  });
  return false;
}

function reportOneLogit(use: ScoreUse, { reporter }: Pick<Environment, "reporter">): false {
  const { call, prediction: logits } = use;
  reporter.report("NET2015", {
    message:
      `\`${call.callee.name}\` of one class is always 0, ` +
      `and \`${shortNameOf(logits)}\` has 1 value per image`,
    span: spanOf(use, "prediction"),
    label: "1 value, one per class",
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
    notes: ["for yes and no, `linear(2)` gives each of the two classes a logit"],
  });
  return false;
}

function widthFixes({ layer, call }: NamedValue, { range }: Target): readonly Fix[] {
  const out = call?.arguments[0];
  if (layer !== "linear" || !out || !range) return [];
  const newText = out.name ? `out=${range.text}` : range.text;
  const title = `make the layer \`linear(${range.text})\``;
  return [{ title, edits: [{ span: out.span, newText }] }];
}

function checkClassWeights(
  { call, bound, prediction: logits }: ScoreUse,
  { reporter }: Environment,
): boolean {
  const weights = (bound.values as { readonly class_weights?: readonly number[] }).class_weights;
  const classes = Number(logits.shape![1]);
  if (!weights || weights.length === classes) return true;
  reporter.report("NET2060", {
    message:
      `\`${call.callee.name}\` has weights ` +
      `for ${weights.length} ${weights.length === 1 ? "class" : "classes"}, ` +
      `but \`${shortNameOf(logits)}\` has ${classes} logits`,
    span: bound.spans.get("class_weights")!,
    label: `one for each of the ${classes} classes`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
  });
  return false;
}

function checkK({ call, bound, prediction: logits }: ScoreUse, { reporter }: Environment): boolean {
  const k = (bound.values as { readonly k?: number }).k ?? 1;
  const classes = Number(logits.shape![1]);
  if (k <= classes) return true;
  reporter.report("NET2008", {
    message: `\`${call.callee.name}\` has k=${k}, but there are only ${classes} logits`,
    span: bound.spans.get("k")!,
    label: `at most ${classes}`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
  });
  return false;
}
