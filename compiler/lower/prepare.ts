/**
 * How a split's images are prepared on the device: which of its transforms, from which staged size,
 * in which dispatches.
 */
import type { Preparation } from "../../program/program.js";
import type { DataSplitRecipe } from "../../program/recipe.js";
import {
  changesContrast,
  isMixing,
  isPrepared,
  JITTER_PARTS,
  placeWords,
  type PreparedKind,
  type Transform,
  type TransformOf,
  type WordsPlace,
} from "../../program/transforms.js";
import type { Origin } from "../ir/origin.js";
import {
  prepareImages,
  prepareMean,
  stepConstant,
  type PreparedStep,
  type PrepareProblem,
} from "../kernels/prepare.js";
import { keepsSize, sizeAfter, sourceSize } from "../../program/image-size.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { TypedKernel } from "../kernels/define-kernel.js";
import { dispatch, type Bound } from "./dispatch.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** A preparation before its buffers have numbers. */
export interface PreparationDraft extends Pick<Preparation, "transforms" | "first" | "views"> {
  readonly staged: Size & {
    readonly channels: number;
    readonly slot: number;
    readonly storage: Storage;
  };
  readonly draws: { readonly words: number; readonly storage: Storage };
  readonly steps: readonly StepDraft[];
}

/** Where the images of a split go. */
export interface PreparedInput {
  readonly shape: Size & { readonly channels: number };
  readonly images: Storage;
  readonly origin: Origin;
}

/**
 * Undefined where the images come to the device as floats: where they are floats before the last
 * resize, or not images.
 */
export function lowerPreparation(
  name: string,
  split: DataSplitRecipe,
  input: PreparedInput,
): PreparationDraft | undefined {
  const { channels } = input.shape;
  if (split.source.kind === "csv" && split.source.holds === "features") return undefined;
  const plan = planStaging(split, input.shape);
  if ((channels !== 1 && channels !== 3) || !plan) return undefined;
  const { places, words } = placeWords(plan.prepared);
  const views = plan.prepared.some(isMixing) ? 2 : 1;
  const [staged] = plan.sizes;
  const viewBytes = staged!.height * staged!.width * channels;
  const slot = roundUpTo4(views * viewBytes);
  const storage = {
    staged: { name: `${name} bytes`, purpose: "staged", bytes: perImage(slot) },
    draws: { name: `${name} draws`, purpose: "draws", bytes: perImage(4 * views * words) },
  } as const;
  const problem = problemOf(places, channels, views);
  const parts: PrepareParts = {
    ...{ ...storage, sizes: plan.sizes },
    constants: {
      channels,
      staged_width: staged!.width,
      staged_height: staged!.height,
      slot,
      view_bytes: viewBytes,
      words,
    },
    given: places.map((place, index) => stepConstants(place, plan.sizes, index)),
  };
  const steps = prepareSteps(name, problem, parts, input);
  return {
    transforms: split.transforms,
    first: split.transforms.length - plan.prepared.length,
    views,
    staged: { ...staged!, channels, slot, storage: storage.staged },
    draws: { words, storage: storage.draws },
    steps,
  };
}

interface Staging {
  /** The transforms that happen on the device, from where the size of images is known. */
  readonly prepared: readonly TransformOf<PreparedKind>[];
  /** The size before each of them, and after the last. */
  readonly sizes: readonly Size[];
}

/** As much of the chain as can be done from bytes of one size. */
function planStaging({ source, transforms }: DataSplitRecipe, input: Size): Staging | undefined {
  const sizes = knownSizes(source.kind === "csv" ? undefined : source, transforms, input);
  let first = transforms.length;
  while (first > 0 && isPrepared(transforms[first - 1]!)) first--;
  while (sizes[first] === undefined) first++;
  if (transforms.slice(0, first).some(({ kind }) => MAKES_FLOATS[kind])) return undefined;
  return {
    prepared: transforms.slice(first).filter(isPrepared),
    sizes: sizes.slice(first) as Size[],
  };
}

/** Transforms after which images are not bytes any more. */
const MAKES_FLOATS: { readonly [Kind in Transform["kind"]]?: true } = {
  normalize: true,
  color_jitter: true,
  pca_noise: true,
  random_erasing: true,
  cutmix: true,
  mixup: true,
};

/** The size before each transform and after the last one, by what is known from either end. */
function knownSizes(
  source: DataSplitRecipe["source"] | undefined,
  transforms: readonly Transform[],
  input: Size,
): (Size | undefined)[] {
  let size = source ? sourceSize(source, input) : ({ kind: "unknown" } as const);
  const sizes: (Size | undefined)[] = [];
  for (const transform of transforms) {
    sizes.push(size.kind === "exact" ? sizeOf(size) : undefined);
    size = sizeAfter(transform, size);
  }
  sizes.push({ height: input.height, width: input.width });
  for (let index = transforms.length - 1; index >= 0; index--) {
    if (keepsSize(transforms[index]!)) sizes[index] ??= sizes[index + 1];
  }
  return sizes;
}

const sizeOf = ({ height, width }: Size): Size => ({ height, width });

function problemOf(places: readonly WordsPlace[], channels: number, views: 1 | 2): PrepareProblem {
  const isGrey = channels === 1;
  let means = 0;
  const steps = places.map(({ transform, first }): PreparedStep => {
    const step = { kind: transform.kind, firstWord: first };
    if (transform.kind !== "color_jitter") return step;
    const parts = jitterParts(transform, isGrey);
    return { ...step, parts, ...(parts.includes("contrast") && { mean: means++ }) };
  });
  return { steps, isGrey, views, means };
}

/** The parts of a color_jitter that do anything: grey has neither saturation nor hue. */
function jitterParts(transform: TransformOf<"color_jitter">, isGrey: boolean) {
  return JITTER_PARTS.filter((part) => {
    if (part === "contrast") return changesContrast(transform);
    if (isGrey && part !== "brightness") return false;
    const neutral = part === "hue" ? 0 : 1;
    return transform[part].some((bound) => bound !== neutral);
  });
}

/** What a transform's kernels are given, under the names that they give it. */
function stepConstants(
  { transform, first }: WordsPlace,
  sizes: readonly Size[],
  index: number,
): Bound {
  const own = transformConstants(transform, sizes[index]!, sizes[index + 1]!);
  const named = Object.entries(own).map(([name, value]) => {
    return [stepConstant(name, { firstWord: first }), value] as const;
  });
  return { buffers: {}, constants: Object.fromEntries(named) };
}

function transformConstants(transform: Transform, from: Size, to: Size): Record<string, number> {
  switch (transform.kind) {
    case "center_crop":
    case "random_crop":
      return { from_width: from.width, from_height: from.height };
    case "hflip":
      return { to_width: to.width };
    case "vflip":
      return { to_height: to.height };
    case "normalize":
      return { ...channelConstants("mean", transform), ...channelConstants("std", transform) };
    case "random_erasing":
      return { value: transform.value };
    default:
      return {};
  }
}

function channelConstants(name: "mean" | "std", transform: TransformOf<"normalize">) {
  const numbers = transform[name];
  const channels = [0, 1, 2].map((channel) => {
    return [`${name}${channel}`, numbers[channel] ?? numbers[0]!] as const;
  });
  return Object.fromEntries(channels);
}

interface PrepareParts {
  readonly staged: Storage;
  readonly draws: Storage;
  /** Of the staged images and what was drawn. */
  readonly constants: Readonly<Record<StagedConstant, number>>;
  /** What each step's transform is given. */
  readonly given: readonly Bound[];
  readonly sizes: readonly Size[];
}

type StagedConstant =
  "channels" | "staged_width" | "staged_height" | "slot" | "view_bytes" | "words";

function prepareSteps(
  name: string,
  problem: PrepareProblem,
  { staged, draws, constants, given, sizes }: PrepareParts,
  { images, origin }: PreparedInput,
): StepDraft[] {
  const means: Storage = {
    name: `${name} means`,
    purpose: "scratch",
    bytes: perImage(4 * problem.views * problem.means),
  };
  const { staged_height, view_bytes, ...others } = constants;
  /** What a kernel with these steps is given, and `size`, that of the image after them. */
  const constantsOf = ({ constants: has }: TypedKernel, size: Size) => ({
    ...others,
    ...("staged_height" in has && { staged_height }),
    ...("view_bytes" in has && { view_bytes }),
    ...{ height: size.height, width: size.width },
  });
  const meanSteps = problem.steps.flatMap(({ mean }, index): StepDraft[] => {
    if (mean === undefined) return [];
    const kernel = prepareMean(problem, index);
    const step = dispatch(kernel, {
      buffers: { staged, draws, means },
      constants: constantsOf(kernel, sizes[index]!),
      fragments: given.slice(0, index + 1),
      workgroups: { x: { ...perImage(problem.views), tile: 1 }, z: 1 },
      label: `${name} means for color_jitter`,
      origin,
    });
    return [step];
  });
  const size = sizes.at(-1)!;
  const kernel = prepareImages(problem);
  const imageStep = dispatch(kernel, {
    buffers: { staged, draws, images, ...(problem.means > 0 && { means }) },
    constants: constantsOf(kernel, size),
    fragments: given,
    threads: perImage(size.height * size.width),
    label: `${name} images`,
    origin,
  });
  return [...meanSteps, imageStep];
}
