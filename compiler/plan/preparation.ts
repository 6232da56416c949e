/**
 * How a split's images are prepared on the device: which of its transforms, from which staged size.
 */
import type { Preparation } from "../../program/program.js";
import type { DataRecipe, DataSplitRecipe } from "../../program/recipe.js";
import {
  changesContrast,
  isMixing,
  JITTER_PARTS,
  placeWords,
  type TransformOf,
  type WordsPlace,
} from "../../program/transforms.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { portOf, type Graph } from "../ir/graph.js";
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
  readonly storage: Readonly<Record<"staged" | "draws" | "means" | "images", Storage>>;
}

/** A transform with the place of its words among what is drawn. */
export interface PreparationStep extends WordsPlace {
  /** Of a color_jitter, the parts that do anything. */
  readonly parts?: readonly JitterPart[];
  /** The place of the mean that changes of contrast need. */
  readonly mean?: number;
  /** Of a random_erasing, whether noise is in place of what is erased. */
  readonly isNoise?: true;
}

type JitterPart = (typeof JITTER_PARTS)[number];

export interface PreparationPlans {
  readonly train?: PreparationPlan;
  readonly eval?: PreparationPlan;
}

/** Where the images of a split go. */
interface PreparedInput {
  readonly shape: Size & { readonly channels: number };
  readonly images: Storage;
  readonly origin: Origin;
}

export function planPreparations(
  forward: Graph,
  { ports }: Persistent,
  data: DataRecipe | undefined,
): PreparationPlans {
  if (!data) return {};
  const given = forward.inputs.filter(({ distribution }) => distribution === undefined);
  const value = portOf({ ...forward, inputs: given }, "input");
  const images = ports.get(portKey({ role: "input", name: value.name }))!;
  const shape = imageShape(value.shape);
  const plan = (split: DataSplitRecipe | undefined, name: string) => {
    if (!split) return undefined;
    const { span } = value.origin;
    const origin = { name, span: { ...span, start: { ...span.start, ...split.location } } };
    return planPreparation(name, split, { shape, images, origin });
  };
  const train = plan(data.train, "train");
  const evaluation = plan(data.eval, "eval");
  return { train, eval: evaluation };
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
  const views = prepared.some(isMixing) ? 2 : 1;
  const [staged] = sizes as [Size, ...Size[]];
  const viewBytes = staged.height * staged.width * channels;
  const slot = roundUpTo4(views * viewBytes);
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
      images,
    },
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
      ...withoutUndefined({ mean: parts.includes("contrast") ? means++ : undefined }),
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
