import type { Fix } from "../diagnostics/diagnostic.js";
import { insertAt, removeArgument, setArgument } from "../calls/edits.js";
import { formatShape, sameShape, type Shape } from "../ir/shape.js";
import { isMask } from "../network/facts.js";
import { explainAxis } from "./trail.js";
import { warnOfActivation } from "./applied-twice.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";
import type { NamedValue, Target } from "./values.js";

/**
 * Logits must be [N, classes] and labels classes; or [N, classes, H, W], and labels those of their
 * pixels. False after a report.
 */
export function checkLabelScore(use: ScoreUse, environment: Environment): boolean {
  const { prediction, kind, target, definition } = use;
  if (target.type.dtype !== "u32") return reportNumbers(use, environment);
  const ofPixels = isMask(target.type);
  if (ofPixels !== (definition.pixels === "only") && definition.pixels !== "too")
    return reportOtherLabels(use, environment);
  if (prediction.shape!.length !== (ofPixels ? 4 : 2)) return reportRank(use, environment);
  if (ofPixels && !checkMaskSize(use, environment)) return false;
  if (!checkIgnore(use, environment)) return false;
  // The loss speaks for the metrics, which are taken of the same values.
  if (kind === "loss") warnOfActivation(use, environment);
  if (kind === "loss" && !checkClasses(use, environment)) return false;
  return checkClassWeights(use, environment) && checkK(use, environment);
}

function reportNumbers(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, kind, definition } = use;
  const labels = definition.pixels === "only" ? "u32[N, height, width]" : "u32[N]";
  reporter.report("NET2046", {
    message:
      `\`${call.callee.name}\` needs labels \`${labels}\`, ` +
      `but \`${target.name}\` holds numbers`,
    span: spanOf(use, "target"),
    related: [{ span: target.span, message: `is ${formatShape(target.type.shape)} of numbers` }],
    notes:
      kind === "loss"
        ? ["losses of numbers are `mse`, `l1`, `bce_with_logits` and `sigmoid_focal`"]
        : ["metrics of numbers are `mse`, `mae` and `binary_accuracy`"],
  });
  return false;
}

function reportRank(use: ScoreUse, { reporter }: Environment): false {
  const { call, prediction: logits, complaints, target } = use;
  if (complaints.has(logits.name)) return false;
  complaints.add(logits.name);
  const ofPixels = isMask(target.type);
  const wanted = ofPixels ? "[N, classes, height, width]" : "[N, classes]";
  reporter.report("NET2009", {
    message:
      `\`${call.callee.name}\` needs logits ${wanted}, ` +
      `but \`${shortNameOf(logits)}\` is ${formatShape(logits.shape!)}`,
    span: spanOf(use, "prediction"),
    label: `has ${logits.shape!.length} axes, not ${ofPixels ? 4 : 2}`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
    notes: [
      ofPixels
        ? `\`${target.name}\` has a class for each pixel: ` +
          "end the network with `conv(classes, kernel=1)`, without `flatten`"
        : "end the network with `flatten -> linear(classes)`",
    ],
  });
  return false;
}

/** A score of pixels against a class for each image, or the reverse. */
function reportOtherLabels(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, kind, definition } = use;
  const needs = definition.pixels === "only" ? "a class for each pixel" : "a class for each image";
  const instead = insteadOf({ kind, definition });
  const has = formatShape(target.type.shape);
  reporter.report("NET2046", {
    message: `\`${call.callee.name}\` needs ${needs}, but \`${target.name}\` is \`u32${has}\``,
    span: spanOf(use, "target"),
    related: [{ span: target.span, message: `is u32${has}` }],
    notes: [
      definition.pixels === "only"
        ? (kind === "loss" ? "the loss of a class for each image is `cross_entropy`; " : "") +
          "masks are declared as `target mask: u32[N, height, width] in 0..classes`"
        : "metrics of masks are `miou` and `pixel_accuracy`",
    ],
    fixes: [
      {
        title: `write \`${instead}\``,
        edits: [{ span: call.callee.span, newText: instead }],
      },
    ],
  });
  return false;
}

/** What takes the other kind of labels. */
function insteadOf({ kind, definition }: Pick<ScoreUse, "kind" | "definition">): string {
  if (kind === "loss") return "cross_entropy";
  return definition.pixels === "only" ? "accuracy" : "pixel_accuracy";
}

/** Logits and mask must be of one size. */
function checkMaskSize(use: ScoreUse, { reporter }: Environment): boolean {
  const { call, prediction: logits, target, complaints } = use;
  const [made, wanted] = [logits.shape!.slice(2), target.type.shape.slice(1)] as const;
  if (sameShape(made, wanted)) return true;
  const key = `${logits.name} against ${target.name}`;
  if (complaints.has(key)) return false;
  complaints.add(key);
  const [came, needed] = [made.join("x"), wanted.join("x")];
  const { trail } = logits.current;
  reporter.report("NET2047", {
    message: `\`${shortNameOf(logits)}\` has ${came} pixels, but \`${target.name}\` has ${needed}`,
    span: spanOf(use, "prediction"),
    label: `\`${call.callee.name}\` needs logits [N, classes, ${wanted.join(", ")}]`,
    related: [
      { span: target.span, message: `has ${needed} pixels` },
      ...(trail ? explainAxis(trail, "space") : []),
    ],
    fixes: upsampleFixes(use, wanted),
  });
  return false;
}

/** Enlarges the logits to the size of the mask; what they were gets another name. */
function upsampleFixes({ prediction: logits, target }: ScoreUse, wanted: Shape): readonly Fix[] {
  const layer = `upsample(size=[${wanted.join(", ")}], mode=bilinear)`;
  const { alias } = logits;
  const isLarger = logits.shape!.slice(2).every((size, axis) => size <= wanted[axis]!);
  if (!alias || !isLarger || target.isInput) return [];
  const edits = [insertAt(alias.span, `small_${alias.name} -> ${layer} as `)];
  return [{ title: `insert \`${layer}\` after it`, edits }];
}

/** The label that a mask's pixels are left out by is not one of its classes. */
function checkIgnore(use: ScoreUse, environment: Environment): boolean {
  const { bound, target, prediction } = use;
  const { ignore } = bound.values as { readonly ignore?: number };
  const classes = target.range?.classes ?? Number(prediction.shape![1]);
  return checkIgnoredLabel({ ...use, spans: bound.spans, ignore, classes }, environment);
}

/** A call that gives the label of pixels that do not count. */
export interface IgnoreUse extends Pick<ScoreUse, "call" | "target" | "ignored"> {
  readonly ignore: number | undefined;
  readonly spans: ScoreUse["bound"]["spans"];
  readonly classes: number;
}

/** False after a report. */
export function checkIgnoredLabel(use: IgnoreUse, { reporter }: Environment): boolean {
  const { call, ignore, spans, target, classes } = use;
  if (ignore === undefined) return true;
  const span = spans.get("ignore")!;
  if (!isMask(target.type)) {
    reporter.report("NET2049", {
      message: `\`ignore\` is for masks, but \`${target.name}\` has a class for each image`,
      span,
      related: [{ span: target.span, message: "one class per image" }],
      notes: ["leave images without a class out of the data"],
      fixes: removing(call, "ignore"),
    });
    return false;
  }
  if (ignore >= classes) return checkOneIgnore(use, ignore, { reporter });
  reporter.report("NET2049", {
    message: `\`ignore=${ignore}\` is one of the ${classes} classes of \`${target.name}\``,
    span,
    label: `expected ${classes} or more`,
    related: [
      { span: target.range?.span ?? target.span, message: `labels go from 0 to ${classes - 1}` },
    ],
    notes: [
      "ignored pixels have a separate label in the masks, often 255",
      "to let a class count less, give it a small weight in `class_weights`",
    ],
    fixes: classes <= 255 ? replacing(call, "ignore", "ignore=255") : [],
  });
  return false;
}

/** Losses of one target leave out the same pixels. */
function checkOneIgnore(
  { spans, target, ignored }: IgnoreUse,
  ignore: number,
  { reporter }: Pick<Environment, "reporter">,
): boolean {
  const before = ignored.get(target.name);
  ignored.set(target.name, before ?? ignore);
  if (before === undefined || before === ignore) return true;
  reporter.report("NET2049", {
    message:
      `\`ignore=${ignore}\`, but an earlier loss of \`${target.name}\` has ` +
      `\`ignore=${before}\``,
    span: spans.get("ignore")!,
    related: [{ span: target.span, message: "a mask has one label for ignored pixels" }],
  });
  return false;
}

const removing = (call: ScoreUse["call"], name: string): readonly Fix[] => {
  const edit = removeArgument(call, name);
  return edit ? [{ title: `remove \`${name}\``, edits: [edit] }] : [];
};

const replacing = (call: ScoreUse["call"], name: string, text: string): readonly Fix[] => [
  { title: `write \`${text}\``, edits: [setArgument(call, name, text)] },
];

function checkClasses(use: ScoreUse, { reporter }: Environment): boolean {
  const { prediction: logits, target } = use;
  const width = Number(logits.shape![1]);
  if (!target.range && width === 1) return reportOneLogit(use, { reporter });
  if (!target.range || target.range.classes === width) return true;
  const { classes, span } = target.range;
  reporter.report("NET2007", {
    message:
      `\`${shortNameOf(logits)}\` has ${width} values per ${unitOf(target)}, ` +
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

const unitOf = ({ type }: Target) => (isMask(type) ? "pixel" : "image");

function widthFixes({ layer, call }: NamedValue, { range }: Target): readonly Fix[] {
  const out = call?.arguments[0];
  const isKnown = layer === "linear" || layer === "conv";
  if (!isKnown || !out || !range) return [];
  const newText = out.name ? `out=${range.text}` : range.text;
  const rest = call.arguments.length > 1 ? ", ..." : "";
  const title = `make the layer \`${layer}(${range.text}${rest})\``;
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
