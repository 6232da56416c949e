/** What reports and files say about a model in words. */
import type { ResolvedLayer, ResolvedNetwork } from "../../compiler/network/resolved.js";
import type { DataSplitRecipe, TrainRecipe } from "../../program/recipe.js";
import type { Transform } from "../../program/transforms.js";
import type { Preparation } from "./model.js";

/** A transform as a spec writes it, without arguments that are rarely needed. */
export function transformText(transform: Transform): string {
  if (transform.kind === "normalize") {
    const list = (values: readonly number[]) => `[${values.join(", ")}]`;
    return `normalize(mean=${list(transform.mean)}, std=${list(transform.std)})`;
  }
  if (!("size" in transform)) return transform.kind;
  const { kind, size } = transform;
  return `${kind}(${typeof size === "number" ? size : `[${size.join(", ")}]`})`;
}

/** `resize(256) -> center_crop(224) -> pixels / 255 -> normalize(...)`. */
export function preparationText({ maximum, transforms }: Preparation): string {
  const isLast = ({ kind }: Transform) => kind === "normalize";
  const scaled = maximum === 1 ? [] : [`pixels / ${maximum}`];
  const before = transforms.filter((each) => !isLast(each)).map(transformText);
  const after = transforms.filter(isLast).map(transformText);
  return [...before, ...scaled, ...after].join(" -> ");
}

/** The largest pixel value of a split's data and what is done to its images. */
export function preparationOf({ source, transforms }: DataSplitRecipe): Preparation {
  return { maximum: source.kind === "csv" ? source.maximum : 255, transforms };
}

/** Layers that change nothing while predicting. */
const FOR_TRAINING = ["dropout", "stochastic_depth"] as const;
export type ForTraining = (typeof FOR_TRAINING)[number];

export interface LostFacts {
  /** Before `neededFor`. */
  readonly network: ResolvedNetwork;
  readonly left: readonly ResolvedLayer[];
  readonly recipe: TrainRecipe | undefined;
  readonly keptForTraining: readonly ForTraining[];
}

/** What a model for prediction has no place for: a sentence each. */
export function lostInExport({
  network,
  left,
  recipe,
  keptForTraining,
}: LostFacts): readonly string[] {
  const dropped = FOR_TRAINING.filter((name) => !keptForTraining.includes(name)).flatMap((name) => {
    const count = network.layers.filter(({ definition }) => definition.name === name).length;
    return count > 0 ? [`${name} (${count})`] : [];
  });
  const scores = [
    ...network.losses.map(({ score }) => score.definition.name),
    ...network.metrics.map(({ name }) => name),
  ];
  const lost = [
    ...dropped,
    ...(scores.length > 0 ? [`loss and metrics (${[...new Set(scores)].join(", ")})`] : []),
    ...(left.length > 0 ? [`layers that only losses read (${namesShown(left)})`] : []),
    ...(recipe ? lostOfRecipe(recipe) : []),
  ];
  return lost.length === 0 ? [] : [`left out: ${lost.join("; ")}`];
}

function lostOfRecipe({ data, optimizer, name }: TrainRecipe): readonly string[] {
  const augmentation = (data?.train?.transforms ?? []).filter(({ kind }) => kind !== "normalize");
  const clip = optimizer.clip ? ["gradient clipping"] : [];
  const transforms = augmentation.map(transformText).join(", ");
  return [
    ...(transforms === "" ? [] : [`transforms of the training data (${transforms})`]),
    ...clip,
    `recipe ${name}`,
  ];
}

const MOST_NAMES = 4;

function namesShown(layers: readonly ResolvedLayer[]): string {
  const names = layers.slice(0, MOST_NAMES).map(({ name }) => name);
  const more = layers.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
