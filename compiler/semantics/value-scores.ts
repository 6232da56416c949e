import { asImage, formatShape, imageShape, labelUnit, sameShape, type Shape } from "../ir/shape.js";
import { warnOfActivation } from "./applied-twice.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";

/** Prediction and target must hold numbers, in one shape. False after a report. */
export function checkValueScore(use: ScoreUse, environment: Environment): boolean {
  const { prediction, target } = use;
  if (target.isGuess) return false;
  if (target.type.dtype !== "f32") return reportLabels(use, environment);
  if (!sameShape(prediction.shape!, target.type.shape)) return reportShapes(use, environment);
  if (!checkPositiveWeights(use, environment)) return false;
  if (use.kind === "loss") warnOfActivation(use, environment);
  return true;
}

/** A list has a weight for each channel. */
function checkPositiveWeights(
  { call, bound, prediction }: ScoreUse,
  { reporter }: Environment,
): boolean {
  const weights = (bound.values as { readonly pos_weight?: readonly number[] }).pos_weight;
  const { channels } = imageShape(asImage(prediction.shape!));
  if (!weights || weights.length === 1 || weights.length === channels) return true;
  const made = formatShape(prediction.shape!);
  const classes = (count: number) => (count === 1 ? "1 class" : `${count} classes`);
  reporter.report("NET2060", {
    message:
      `\`${call.callee.name}\` has weights for ${classes(weights.length)}, ` +
      `but \`${shortNameOf(prediction)}\` is ${made}`,
    span: bound.spans.get("pos_weight")!,
    label: `one for each of ${classes(channels)}, or one number for all`,
    related: [{ span: prediction.span, message: `gives ${made}` }],
  });
  return false;
}

function reportLabels(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, prediction, kind } = use;
  const unit = labelUnit(target.type.shape);
  const metric = unit === "pixel" ? "miou" : "accuracy";
  const instead = kind === "loss" ? "cross_entropy" : metric;
  const type = `f32${formatShape(prediction.shape!)}`;
  reporter.report("NET2046", {
    message: `\`${call.callee.name}\` compares numbers, but \`${target.name}\` holds classes`,
    span: spanOf(use, "target"),
    label: `expected ${type}`,
    related: [{ span: target.span, message: `one class per ${unit}` }],
    notes: [
      ...classNotes(use, instead),
      `numbers are declared as \`${target.name}: ${type}\` and come from JavaScript: ` +
        `\`step(images, targets)\``,
    ],
    fixes: [
      {
        title: `write \`${instead}\`, which compares with classes`,
        edits: [{ span: call.callee.span, newText: instead }],
      },
    ],
  });
  return false;
}

/** What a score of probabilities is for where the target is one class. */
function classNotes({ call, prediction, target }: ScoreUse, instead: string): readonly string[] {
  if (!["bce_with_logits", "binary_accuracy"].includes(call.callee.name)) return [];
  const isOne = prediction.shape!.length === 2 && prediction.shape![1] === 1;
  if (!isOne) return [`for one class among several there is \`${instead}\``];
  const range = `\`${target.name}: u32[N] in 0..2\``;
  return [`two classes are two logits: \`linear(2)\`, \`${instead}\` and ${range}`];
}

function reportShapes(use: ScoreUse, { reporter }: Environment): false {
  const { call, prediction, target, complaints } = use;
  const key = `${prediction.name} against ${target.name}`;
  if (complaints.has(key)) return false;
  complaints.add(key);
  const [made, wanted] = [formatShape(prediction.shape!), formatShape(target.type.shape)];
  reporter.report("NET2047", {
    message:
      `\`${call.callee.name}\` needs one shape, ` +
      `but \`${shortNameOf(prediction)}\` is ${made} and \`${target.name}\` is ${wanted}`,
    span: spanOf(use, "prediction"),
    label: `is ${made}`,
    related: [
      { span: prediction.span, message: `gives ${made}` },
      { span: target.span, message: `is ${wanted}` },
    ],
    notes: isSmaller(prediction.shape!, target.type.shape)
      ? [
          "`upsample(2)` " +
            "and `conv_transpose(out, kernel=4, stride=2, padding=1)` double an image exactly",
        ]
      : [],
  });
  return false;
}

/**
 * Whether both are images, of which the first has too few rows: a decoder that does not quite lead
 * back.
 */
function isSmaller(made: Shape, wanted: Shape): boolean {
  if (made.length !== 4 || wanted.length !== 4) return false;
  return imageShape(made).height < imageShape(wanted).height;
}
