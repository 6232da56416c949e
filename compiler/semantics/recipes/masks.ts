import { labelUnit } from "../../ir/shape.js";
import { ignoredLabel, isBoxes, isDense, isMask, isOfTokens } from "../../network/facts.js";
import { isMixing, type TransformKind } from "../../../program/transforms.js";
import type { NetworkPort, ResolvedNetwork, ResolvedScore } from "../../network/resolved.js";
import type { AnalyzedModel } from "../analysis.js";
import { plural } from "../../diagnostics/plural.js";
import type { Environment } from "../../calls/environment.js";
import type { ReadSplit } from "./features.js";
import type { TransformUse } from "./image-flow.js";

/** Labels in a mask's file have 8 bits. */
const MOST_CLASSES = 256;

/** Checks that a split has masks where the model's target is one, and what is done to them. */
export function checkMasks(
  { call, source, uses }: ReadSplit,
  { network, name, inputs }: AnalyzedModel,
  environment: Environment,
): void {
  const target = network?.targets[0];
  if (!network || inputs.length > 1 || network.targets.length > 1) return;
  if (target && isOfTokens(target.type)) {
    return reportNoTokens({ call, target }, name, environment);
  }
  if (!checkBoxes({ call, source, uses }, target, environment)) return;
  const isMasked = target !== undefined && isMask(target.type);
  if (isMasked !== (source.kind === "pairs")) {
    environment.reporter.report("NET3025", {
      message: isMasked
        ? `\`${call.callee.name}\` has no masks, but \`${target.name}\` of model ` +
          `\`${name}\` has a class for each pixel`
        : `\`pairs\` has masks, but model \`${name}\` has no target with a class for each pixel`,
      span: call.span,
      related: target ? [{ span: target.origin.span, message: "the target" }] : [],
      notes: [
        isMasked
          ? 'masks are read by `pairs("images", "masks")`: PNG files of the images\' names'
          : "declare `target mask: u32[N, height, width] in 0..classes`",
      ],
    });
    return;
  }
  if (!isMasked) return checkMixing(uses, network, environment);
  checkNames({ call, source }, target, environment);
  if ((target.classes ?? 0) > MOST_CLASSES) {
    environment.reporter.report("NET3025", {
      message: `\`${target.name}\` has ${target.classes} classes, and masks hold at most 256`,
      span: target.origin.span,
    });
  }
  const compares = network.losses.some(({ score }) => score.compares !== undefined);
  const loss = compares ? `one_hot(${target.name}, ignore=255)` : "cross_entropy(..., ignore=255)";
  const ignores = ignoredLabel(network, 0) !== undefined;
  for (const use of uses) checkTransform(use, { ignores, loss }, environment);
}

/** A table alone has a class for each token. */
function reportNoTokens(
  { call, target }: Pick<ReadSplit, "call"> & { readonly target: NetworkPort },
  name: string,
  { reporter }: Environment,
): void {
  reporter.report("NET3025", {
    message:
      `\`${call.callee.name}\` gives an example one class, but \`${target.name}\` of model ` +
      `\`${name}\` has one for each token`,
    span: call.span,
    related: [{ span: target.origin.span, message: "the target" }],
    notes: [`\`csv\` reads them from columns: \`csv("table.csv", ${target.name}="y*")\``],
  });
}

/** Reports two labels where a target has a class for each of several tokens. */
export function checkTokenTransforms(
  { uses }: Pick<ReadSplit, "uses">,
  { network }: AnalyzedModel,
  { reporter }: Environment,
): void {
  const target = network?.targets.find(({ type }) => isDense(type));
  const use = uses.find(({ transform }) => isMixing(transform) || transform.kind === "ten_crop");
  if (!target || !use) return;
  reporter.report("NET3025", {
    message:
      `\`${use.call.callee.name}\` is for images with one class, ` +
      `and \`${target.name}\` has one for each ${labelUnit(target.type.shape)}`,
    span: use.call.span,
    related: [{ span: target.origin.span, message: "the target" }],
    notes: ["leave it out"],
  });
}

/** Names of the classes, of masks and of boxes, are as many as the target's classes. */
function checkNames(
  { call, source }: Pick<ReadSplit, "call" | "source">,
  { name, classes, origin }: NetworkPort,
  { reporter }: Pick<Environment, "reporter">,
): void {
  const names = source.kind === "pairs" || source.kind === "boxes" ? source.classes : undefined;
  if (!names || classes === undefined || names.length === classes) return;
  const given = call.arguments.find((argument) => argument.name?.name === "classes");
  reporter.report("NET3025", {
    message:
      `\`${call.callee.name}\` names ${names.length} ` +
      `${names.length === 1 ? "class" : "classes"}, but \`${name}\` has ${classes}`,
    span: given?.span ?? call.span,
    label: `expected ${plural(classes, "name")}`,
    related: [{ span: origin.span, message: `classes 0 to ${classes - 1}` }],
    notes: ["each class has one name, in the order of the numbers"],
  });
}

/** What changes boxes as it changes their image, or leaves them. */
const WITH_BOXES: readonly TransformUse["transform"]["kind"][] = [
  ...(["resize", "center_crop", "random_crop", "random_resized_crop"] as const),
  ...(["letterbox", "hflip", "vflip"] as const),
  ...(["normalize", "color_jitter", "pca_noise", "random_erasing", "gaussian_blur"] as const),
];

/** False for a target of boxes, and for data with boxes. */
function checkBoxes(
  { call, source, uses }: ReadSplit,
  target: NetworkPort | undefined,
  { reporter }: Environment,
): boolean {
  const isBoxed = target !== undefined && isBoxes(target);
  if (isBoxed !== (source.kind === "boxes")) {
    reporter.report("NET3025", {
      message: isBoxed
        ? `\`${call.callee.name}\` has no boxes, but \`${target.name}\` is boxes`
        : "`boxes` has boxes, but the model has no target of boxes",
      span: call.span,
      related: target ? [{ span: target.origin.span, message: "the target" }] : [],
      notes: [
        isBoxed
          ? 'boxes are read by `boxes("images", "labels")`: text files of the images\' names'
          : "declare `target boxes: boxes[N, 20] in 0..classes`",
      ],
    });
    return false;
  }
  if (!isBoxed) return true;
  checkNames({ call, source }, target, { reporter });
  for (const { transform, call: use } of uses) {
    if (WITH_BOXES.includes(transform.kind)) continue;
    reporter.report("NET3025", {
      message: `\`${use.callee.name}\` does not say what becomes of boxes`,
      span: use.span,
      notes: ["`resize`, `letterbox`, crops and flips change image and boxes alike"],
    });
  }
  return false;
}

/** Losses that are taken of one label an image, and so not of two. */
const OF_ONE_LABEL = ["focal"];

/** Formulas of classes are, too. */
const takesOneLabel = ({ definition, compares }: ResolvedScore): boolean =>
  OF_ONE_LABEL.includes(definition.name) || compares !== undefined;

function checkMixing(
  uses: readonly TransformUse[],
  { losses }: Pick<ResolvedNetwork, "losses">,
  { reporter }: Environment,
): void {
  const mixing = uses.find(({ transform }) => isMixing(transform));
  const loss = losses.find(({ score }) => takesOneLabel(score));
  if (!mixing || !loss) return;
  const { definition, compares } = loss.score;
  const name = compares ? "one_hot" : definition.name;
  reporter.report("NET3025", {
    message: `\`${mixing.call.callee.name}\` gives an image two labels, and \`${name}\` takes one`,
    span: mixing.call.span,
    related: [{ span: loss.score.origin.span, message: "the loss" }],
    notes: ["`cross_entropy` takes both, each by its share"],
  });
}

/** What leaves pixels without a class, at least in some images. */
const REACHING: readonly TransformKind[] = [
  "affine",
  "letterbox",
  "perspective",
  "rand_augment",
  "trivial_augment",
];

function checkTransform(
  { transform, call }: TransformUse,
  { ignores, loss }: { readonly ignores: boolean; readonly loss: string },
  { reporter }: Environment,
): void {
  const { kind } = transform;
  const isMeaningless = isMixing(transform) || kind === "ten_crop" || kind === "aug_mix";
  const reachesOutside =
    REACHING.includes(kind) || (kind === "random_crop" && transform.padding > 0);
  const isPadded = reachesOutside && !ignores;
  if (!isMeaningless && !isPadded) return;
  reporter.report("NET3025", {
    message: isPadded
      ? `\`${call.callee.name}\` adds pixels around the mask that have no class`
      : `\`${call.callee.name}\` has no meaning for masks`,
    span: call.span,
    notes: [
      isPadded
        ? `give the loss a label for them: \`${loss}\``
        : "`random_crop`, `random_resized_crop`, `hflip` and `vflip` change image and mask alike",
    ],
  });
}
