import { isAugmenting, isMixing } from "../../../program/transforms.js";
import type { CallExpression } from "../../../grammar/ast.js";
import type { Environment } from "../../calls/environment.js";
import type { TransformUse } from "./image-flow.js";

interface Mistake {
  readonly message: string;
  readonly label: string;
  readonly note: string;
  /** Where, if it is not the transform itself. */
  readonly call?: CallExpression | undefined;
}

/** Reports transforms in places where they do not work. */
export function checkOrder(
  uses: readonly TransformUse[],
  split: "train" | "eval",
  { reporter }: Environment,
): void {
  uses.forEach((use, index) => {
    // Of a choice that has no place in a split, the first transform says so for all.
    if (split === "eval" && choiceOf(use) && choiceOf(use) === choiceOf(uses[index - 1])) return;
    const mistake = mistakeOf(use, split, {
      before: uses.slice(0, index),
      after: uses.slice(index + 1),
    });
    if (!mistake) return;
    const { message, label, note } = mistake;
    const { span } = mistake.call ?? use.call;
    reporter.report("NET3040", { message, label, span, notes: [note] });
  });
}

const choiceOf = (use: TransformUse | undefined) => use?.within?.[0]?.call;

interface Neighbors {
  readonly before: readonly TransformUse[];
  readonly after: readonly TransformUse[];
}

function mistakeOf(
  use: TransformUse,
  split: "train" | "eval",
  { before, after }: Neighbors,
): Mistake | undefined {
  const { transform, call } = use;
  const name = `\`${call.callee.name}\``;
  const choice = choiceOf(use);
  if (isMixing(transform)) return mixingMistake(name, split, after);
  if ((isAugmenting(transform) || choice) && split === "eval") {
    return {
      call: choice,
      message:
        `\`${(choice ?? call).callee.name}\` changes images at random, ` +
        "which makes no sense in an eval split",
      label: "only in a train split",
      note: "evaluations and predictions take images as they are",
    };
  }
  switch (transform.kind) {
    case "ten_crop":
      return tenCropMistake(name, split, after);
    case "rand_augment":
    case "trivial_augment":
    case "aug_mix":
    case "color_jitter":
    case "pca_noise":
      return before.some((use) => use.transform.kind === "normalize")
        ? {
            message: `${name} works on colors in 0..1, but comes after \`normalize\``,
            label: "before `normalize`",
            note: `for instance \`${call.callee.name}(...) -> normalize(...)\``,
          }
        : undefined;
    default:
      return undefined;
  }
}

function mixingMistake(
  name: string,
  split: "train" | "eval",
  after: readonly TransformUse[],
): Mistake | undefined {
  if (split === "eval") {
    return {
      message: `${name} mixes images with others, which makes no sense in an eval split`,
      label: "only in a train split",
      note: "images are mixed to train on; what is measured are the images themselves",
    };
  }
  const [next] = after;
  if (!next) return undefined;
  return {
    message:
      `${name} mixes whole batches and comes last, ` +
      `but \`${next.call.callee.name}\` follows it`,
    label: "comes last",
    note: isMixing(next.transform)
      ? "a split mixes once: `one_of(mixup(0.2), cutmix)` chooses one of both for each batch"
      : "for instance `random_resized_crop(224) -> normalize(...) -> cutmix`",
  };
}

function tenCropMistake(
  name: string,
  split: "train" | "eval",
  after: readonly TransformUse[],
): Mistake | undefined {
  if (split === "train") {
    return {
      message:
        `${name} makes ten images of each, whose predictions are averaged: ` +
        "it is for an eval split",
      label: "only in an eval split",
      note: "`random_crop` cuts another square of each image in each epoch",
    };
  }
  const next = after.find(({ transform }) => transform.kind !== "normalize");
  if (!next) return undefined;
  return {
    message: `after ${name} only \`normalize\` may follow, not \`${next.call.callee.name}\``,
    label: "ten images from here on",
    note: "for instance `resize(256) -> ten_crop(224) -> normalize(...)`",
  };
}
