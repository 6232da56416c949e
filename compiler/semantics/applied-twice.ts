import type { Fix } from "../diagnostics/diagnostic.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";
import type { NamedValue } from "./values.js";

/** A loss that works on logits, behind a layer that it applies itself: softmax, or sigmoid. */
export function warnOfAppliedTwice(use: ScoreUse, { reporter }: Environment): void {
  const { definition, prediction } = use;
  const { name, applies } = definition;
  if (applies === undefined || prediction.layer !== applies) return;
  reporter.report("NET2010", {
    message: `\`${name}\` applies ${applies} itself, but \`${shortNameOf(prediction)}\` has gone through \`${applies}\` already`,
    span: spanOf(use, "prediction"),
    label: "expected logits, not probabilities",
    related: [{ span: prediction.span, message: "probabilities from here on" }],
    notes: [
      `${applies} twice makes the gradients small: the network would learn slowly, if at all`,
    ],
    fixes: removeFixes(prediction),
  });
}

/** Zeros among the logits themselves, instead of among the features that they are made of. */
export function warnOfDropout(use: ScoreUse, { reporter }: Environment): void {
  const { definition, prediction } = use;
  if (prediction.layer !== "dropout") return;
  reporter.report("NET2051", {
    message: `\`${definition.name}\` is taken of \`${shortNameOf(prediction)}\`, the output of a dropout`,
    span: spanOf(use, "prediction"),
    label: "partly zeros in training",
    related: [{ span: prediction.span, message: "zeros come in here" }],
    notes: ["dropout belongs before the last linear layer, among the features that it reads"],
    fixes: removeFixes(prediction),
  });
}

/** Takes the layer away and hands its name to the one before it. */
function removeFixes({ call, alias, previous, layer }: NamedValue): readonly Fix[] {
  if (!call || !alias || !previous || previous.alias) return [];
  const span = { ...call.span, start: previous.span.end };
  return [{ title: `remove \`${layer}\``, edits: [{ span, newText: ` as ${alias.name}` }] }];
}
