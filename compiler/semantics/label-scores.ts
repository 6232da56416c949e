import type { Fix } from "../diagnostics/diagnostic.js";
import { insertAt, removeArgument, setArgument } from "../calls/edits.js";
import {
  byClass,
  channelAxis,
  formatShape,
  isSignal,
  labelUnit,
  sameShape,
  spaceOf,
  type LabelUnit,
  type Shape,
} from "../ir/shape.js";
import type { ScoreDefinition } from "../layers/scores.js";
import { isDense } from "../network/facts.js";
import { explainAxis } from "./trail.js";
import { warnOfActivation } from "./applied-twice.js";
import type { Environment } from "../calls/environment.js";
import { shortNameOf, spanOf, type ScoreUse } from "./score-use.js";
import type { NamedValue, Target } from "./values.js";

/** What labels of a kind are, and the logits that are compared with them. */
interface LabelKind {
  readonly type: string;
  readonly logits: string;
  /** Axes of the logits. */
  readonly rank: number;
  /** How a network ends that makes such logits. */
  readonly ending: string;
}

const KINDS: Readonly<Record<LabelUnit, LabelKind>> = {
  image: {
    type: "u32[N]",
    logits: "[N, classes]",
    rank: 2,
    ending: "end the network with `flatten -> linear(classes)`",
  },
  pixel: {
    type: "u32[N, height, width]",
    logits: "[N, classes, height, width]",
    rank: 4,
    ending: "end the network with `conv(classes, kernel=1)`, without `flatten`",
  },
  token: {
    type: "u32[N, tokens]",
    logits: "[N, tokens, classes]",
    rank: 3,
    ending: "end the network with `linear(classes)` of a sequence, without `flatten`",
  },
};

const unitOf = ({ type }: Target): LabelUnit => labelUnit(type.shape);

const unitsOf = ({ labelsOf = ["image"] }: ScoreDefinition): readonly LabelUnit[] => labelsOf;

/** How many classes logits tell apart. */
const classesOf = ({ shape }: NamedValue): number => Number(shape![channelAxis(shape!)]);

/**
 * Logits must be [N, classes] and labels classes; or [N, classes, H, W], and labels those of their
 * pixels; or [N, T, classes], and labels those of their tokens. False after a report.
 */
export function checkLabelScore(use: ScoreUse, environment: Environment): boolean {
  const { prediction, kind, target, definition } = use;
  if (target.type.dtype !== "u32") return reportNumbers(use, environment);
  const unit = unitOf(target);
  if (!unitsOf(definition).includes(unit)) return reportOtherLabels(use, environment);
  const isOfRank = prediction.shape!.length === KINDS[unit].rank;
  if (!isOfRank) return reportRank(use, environment);
  if (!checkSpace(use, environment)) return false;
  if (!checkIgnore(use, environment)) return false;
  // The loss speaks for the metrics, which are taken of the same values.
  if (kind === "loss") warnOfActivation(use, environment);
  if (kind === "loss" && !checkClasses(use, environment)) return false;
  return checkClassWeights(use, environment) && checkK(use, environment);
}

function reportNumbers(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, kind, definition } = use;
  const { type } = KINDS[unitsOf(definition)[0]!];
  reporter.report("NET2046", {
    message:
      `\`${call.callee.name}\` needs labels \`${type}\`, ` + `but \`${target.name}\` holds numbers`,
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
  const unit = unitOf(target);
  const { logits: wanted, rank, ending } = KINDS[unit];
  const came = formatShape(logits.shape!);
  reporter.report("NET2009", {
    message:
      `\`${call.callee.name}\` needs logits ${wanted}, ` +
      `but \`${shortNameOf(logits)}\` is ${came}`,
    span: spanOf(use, "prediction"),
    label: isSignal(logits.shape!)
      ? "a signal, channels first"
      : `has ${logits.shape!.length} axes, not ${rank}`,
    related: [{ span: logits.span, message: `gives ${came}` }],
    notes: [
      unit === "image"
        ? ending
        : unit === "token" && logits.shape!.length === 4
          ? `\`${target.name}\` has a class for each token: ` +
            "`tokens` makes a token of each place of a signal, or pixel of an image"
          : `\`${target.name}\` has a class for each ${unit}: ${ending}`,
      ...(unit === "token" && logits.shape!.length === 2
        ? [`one class for the whole example is \`${target.name}: u32[N]\``]
        : []),
    ],
  });
  return false;
}

/** A score of pixels against a class for each image, or the reverse. */
function reportOtherLabels(use: ScoreUse, { reporter }: Environment): false {
  const { call, target, kind, definition } = use;
  const units = unitsOf(definition);
  const needs = `a class for each ${units.join(" or ")}`;
  const instead = insteadOf(kind, unitOf(target));
  const has = formatShape(target.type.shape);
  reporter.report("NET2046", {
    message: `\`${call.callee.name}\` needs ${needs}, but \`${target.name}\` is \`u32${has}\``,
    span: spanOf(use, "target"),
    related: [{ span: target.span, message: `is u32${has}` }],
    notes: [otherNote(use)],
    fixes: [
      {
        title: `write \`${instead}\``,
        edits: [{ span: call.callee.span, newText: instead }],
      },
    ],
  });
  return false;
}

function otherNote({ target, kind, definition }: ScoreUse): string {
  const unit = unitOf(target);
  if (unit === "pixel") return "metrics of masks are `miou` and `pixel_accuracy`";
  if (unit === "token") return "the metric of a class for each token is `accuracy`";
  const declared = unitsOf(definition).includes("pixel")
    ? "masks are declared as `target mask: u32[N, height, width] in 0..classes`"
    : "tokens are declared as `target next: u32[N, tokens] in 0..classes`";
  return (
    (kind === "loss" ? "the loss of a class for each image is `cross_entropy`; " : "") + declared
  );
}

/** What takes labels of this kind. */
function insteadOf(kind: ScoreUse["kind"], unit: LabelUnit): string {
  if (kind === "loss") return "cross_entropy";
  return unit === "pixel" ? "pixel_accuracy" : "accuracy";
}

/** Logits and mask must be of one size, and of as many tokens as there are labels. */
function checkSpace(use: ScoreUse, { reporter }: Environment): boolean {
  const { call, prediction: logits, target, complaints } = use;
  const [made, wanted] = [spaceOf(logits.shape!), target.type.shape.slice(1)] as const;
  if (sameShape(made, wanted)) return true;
  const key = `${logits.name} against ${target.name}`;
  if (complaints.has(key)) return false;
  complaints.add(key);
  const unit = unitOf(target);
  const [came, needed] = [made.join("x"), wanted.join("x")];
  const { trail } = logits.current;
  const needs = byClass(target.type.shape, classesOf(logits)).map((size, axis) =>
    axis === channelAxis(logits.shape!) ? "classes" : size,
  );
  reporter.report("NET2047", {
    message:
      `\`${shortNameOf(logits)}\` has ${came} ${unit}s, ` + `but \`${target.name}\` has ${needed}`,
    span: spanOf(use, "prediction"),
    label: `\`${call.callee.name}\` needs logits [${needs.join(", ")}]`,
    related: [
      { span: target.span, message: `has ${needed} ${unit}s` },
      ...(trail ? explainAxis(trail, "space") : []),
    ],
    fixes: unit === "pixel" ? upsampleFixes(use, wanted) : [],
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

/** Losses of a target leave out the same label. */
function checkIgnore(use: ScoreUse, environment: Environment): boolean {
  const { bound, target, prediction, definition } = use;
  // Metrics leave out what losses do.
  if (!("ignore" in definition.arguments)) return true;
  const { ignore } = bound.values as { readonly ignore?: number };
  const classes = target.range?.classes ?? classesOf(prediction);
  return checkIgnoredLabel({ ...use, spans: bound.spans, ignore, classes }, environment);
}

/** A call that gives the label of pixels or tokens that do not count. */
export interface IgnoreUse extends Pick<ScoreUse, "call" | "target" | "ignored"> {
  readonly ignore: number | undefined;
  readonly spans: ScoreUse["bound"]["spans"];
  readonly classes: number;
}

/** False after a report. */
export function checkIgnoredLabel(use: IgnoreUse, { reporter }: Environment): boolean {
  const { call, ignore, spans, target } = use;
  if (isDense(target.type)) return checkOneIgnore(use, { reporter });
  if (ignore === undefined) return true;
  reporter.report("NET2049", {
    message:
      `\`ignore\` is for masks and tokens, ` + `but \`${target.name}\` has a class for each image`,
    span: spans.get("ignore")!,
    related: [{ span: target.span, message: "one class per image" }],
    notes: ["leave images without a class out of the data"],
    fixes: removing(call, "ignore"),
  });
  return false;
}

/** Losses of one target leave out the same pixels or tokens. */
function checkOneIgnore(
  { call, spans, target, ignored, ignore, classes }: IgnoreUse,
  { reporter }: Pick<Environment, "reporter">,
): boolean {
  const before = ignored.get(target.name);
  const isFirst = !ignored.has(target.name);
  if (isFirst || before === undefined) ignored.set(target.name, ignore);
  if (isFirst || before === ignore) return true;
  // Of a label that is not a class, it is enough that one loss says so.
  const label = before ?? ignore!;
  const isSaidOnce = before === undefined || ignore === undefined;
  if (isSaidOnce && label >= classes) return true;
  const said = `\`ignore=${label}\``;
  const earlier = `an earlier loss of \`${target.name}\``;
  reporter.report("NET2049", {
    message:
      ignore === undefined
        ? `\`${call.callee.name}\` has no \`ignore\`, but ${earlier} has ${said}`
        : before === undefined
          ? `${said} leaves out a class of \`${target.name}\`, but an earlier loss counts it`
          : `\`ignore=${ignore}\`, but ${earlier} has ${said}`,
    span: spans.get("ignore") ?? call.callee.span,
    related: [{ span: target.span, message: `one label is for ignored ${unitOf(target)}s` }],
    fixes: ignore === undefined ? replacing(call, "ignore", said.slice(1, -1)) : [],
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
  const width = classesOf(logits);
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
  const { call, prediction: logits, target } = use;
  reporter.report("NET2015", {
    message:
      `\`${call.callee.name}\` of one class is always 0, ` +
      `and \`${shortNameOf(logits)}\` has 1 value per ${unitOf(target)}`,
    span: spanOf(use, "prediction"),
    label: "1 value, one per class",
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
    notes: ["for yes and no, `linear(2)` gives each of the two classes a logit"],
  });
  return false;
}

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
  const classes = classesOf(logits);
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

function checkK(use: ScoreUse, { reporter }: Environment): boolean {
  const { call, bound, prediction: logits } = use;
  const k = (bound.values as { readonly k?: number }).k ?? 1;
  const classes = classesOf(logits);
  if (k <= classes) return true;
  reporter.report("NET2008", {
    message: `\`${call.callee.name}\` has k=${k}, but there are only ${classes} logits`,
    span: bound.spans.get("k")!,
    label: `at most ${classes}`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
  });
  return false;
}
