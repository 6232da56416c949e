/**
 * How a split's images are prepared on the device: which of its transforms, from which staged size.
 */
import type { Preparation, PreparationName } from "../../program/program.js";
import type { DataRecipe, DataSplitRecipe } from "../../program/recipe.js";
import {
  changesContrast,
  isMixing,
  JITTER_PARTS,
  placeWords,
  type TransformOf,
  type WordsPlace,
} from "../../program/transforms.js";
import { TUPLE_INPUTS } from "../../program/tuples.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { portsOf, type Graph, type Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { imageShape } from "../ir/shape.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { portKey, type Persistent } from "./persistent.js";
import { planStaging, type Size } from "./staging.js";
import { perImage, scratch, type Storage } from "./storage.js";

export interface PreparationPlan extends Pick<Preparation, "transforms" | "first" | "views"> {
  /** Of the split. */
  readonly name: string;
  readonly origin: Origin;
  /** The transforms that happen on the device. */
  readonly steps: readonly PreparationStep[];
  /** The size before each of them, and after the last. */
  readonly sizes: readonly Size[];
  readonly channels: number;
  /** Bytes of a view of a staged image, and from one staged image to the next. */
  readonly viewBytes: number;
  readonly slot: number;
  /** Of the numbers that are drawn for a view. */
  readonly words: number;
  /** Means of an image that steps need. */
  readonly means: number;
  readonly storage: Readonly<Record<"staged" | "draws" | "means", Storage>>;
  /** Where the images go: of an example of several pictures, those of each. */
  readonly images: readonly Storage[];
}

/** A transform with the place of its words among what is drawn. */
export interface PreparationStep extends WordsPlace {
  /** Of a color_jitter, the parts that do anything. */
  readonly parts?: readonly JitterPart[];
  /** The place of the mean that changes of contrast need. */
  readonly mean?: number;
  /** Of a random_erasing, whether noise is in place of what is erased. */
  readonly isNoise?: true;
  /** Of a color_jitter, whether it may be left out for an image. */
  readonly isOptional?: true;
}

type JitterPart = (typeof JITTER_PARTS)[number];

export type PreparationPlans = { readonly [name in PreparationName]?: PreparationPlan };

/** Where the images of a split go. */
interface PreparedInput {
  readonly shape: Size & { readonly channels: number };
  readonly images: readonly Storage[];
  readonly origin: Origin;
}

interface Prepared {
  readonly forward: Graph;
  readonly predict: Graph;
  readonly persistent: Persistent;
}

/** `evaluate` is absent in a program that only predicts: `eval` then prepares pictures alone. */
export function planPreparations(
  { forward, predict, persistent: { ports } }: Prepared,
  data: DataRecipe | undefined,
  evaluate: Graph | undefined,
): PreparationPlans {
  if (!data) return {};
  const given = forward.inputs.filter(({ distribution }) => distribution === undefined);
  const inputs = portsOf({ ...forward, inputs: given }, "input");
  const plan = (
    split: DataSplitRecipe | undefined,
    name: string,
    [value, ...others]: readonly Value[],
  ) => {
    if (!split || !value) return undefined;
    const { span } = value.origin;
    const origin = { name, span: { ...span, start: { ...span.start, ...split.location } } };
    const images = [value, ...others].map((each) =>
      ports.get(portKey({ role: "input", name: each.name }))!,
    );
    return planPreparation(name, split, { shape: imageShape(value.shape), images, origin });
  };
  const read = (split: DataSplitRecipe | undefined) => {
    const names = split?.source.tuples && TUPLE_INPUTS[split.source.tuples];
    if (!names) return inputs.slice(0, 1);
    return names.flatMap((name) => inputs.filter((input) => input.name === name));
  };
  const isDrawn = data.eval?.source.tuples !== undefined;
  // Pictures of calls are those that predictions read.
  const predicted = portsOf(predict, "input");
  const alone = predicted.length === 1 ? predicted : [];
  return {
    train: plan(data.train, "train", read(data.train)),
    eval: plan(data.eval, "eval", isDrawn ? alone : read(data.eval)),
    evalTuples: isDrawn && evaluate ? plan(data.eval, "evaluation", read(data.eval)) : undefined,
  };
}

/**
 * Undefined where the images come to the device as floats: where they are floats before the last
 * resize, or not images.
 */
function planPreparation(
  name: string,
  split: DataSplitRecipe,
  { shape, images, origin }: PreparedInput,
): PreparationPlan | undefined {
  const { channels } = shape;
  if (split.source.kind === "csv" && split.source.holds === "features") return undefined;
  const staging = planStaging(split, shape);
  if ((channels !== 1 && channels !== 3) || !staging) return undefined;
  const { prepared, sizes } = staging;
  const { places, words } = placeWords(prepared);
  const views = prepared.some(isMixing) ? 2 : images.length;
  const [staged] = sizes as [Size, ...Size[]];
  const viewBytes = staged.height * staged.width * channels;
  const pictures = images.length;
  // Of several pictures each begins with a word; of mixed ones the second follows the first.
  const slot = pictures > 1 ? pictures * roundUpTo4(viewBytes) : roundUpTo4(views * viewBytes);
  const { steps, means } = planSteps(places, channels === 1);
  return {
    name,
    origin,
    steps,
    sizes,
    channels,
    viewBytes,
    slot,
    words,
    views,
    means,
    transforms: split.transforms,
    first: split.transforms.length - prepared.length,
    storage: {
      staged: { name: `${name} bytes`, purpose: "staged", bytes: perImage(slot) },
      draws: { name: `${name} draws`, purpose: "draws", bytes: perImage(4 * views * words) },
      means: scratch(`${name} means`, perImage(4 * views * means)),
    },
    images,
  };
}

function planSteps(places: readonly WordsPlace[], isGray: boolean) {
  let means = 0;
  const steps = places.map((place): PreparationStep => {
    if (place.transform.kind === "random_erasing" && place.transform.value === "random")
      return { ...place, isNoise: true };
    if (place.transform.kind !== "color_jitter") return place;
    const parts = jitterParts(place.transform, isGray);
    return {
      ...place,
      parts,
      ...withoutUndefined({
        mean: parts.includes("contrast") ? means++ : undefined,
        isOptional: place.transform.when && (true as const),
      }),
    };
  });
  return { steps, means };
}

/** The parts of a color_jitter that do anything: gray has neither saturation nor hue. */
function jitterParts(transform: TransformOf<"color_jitter">, isGray: boolean) {
  return JITTER_PARTS.filter((part) => {
    if (part === "contrast") return changesContrast(transform);
    if (isGray && part !== "brightness") return false;
    const neutral = part === "hue" ? 0 : 1;
    return transform[part].some((bound) => bound !== neutral);
  });
}
