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
  PREPARE_WORKGROUP,
  prepareImages,
  prepareMean,
  type PreparedStep,
  type PrepareProblem,
} from "../kernels/prepare.js";
import { keepsSize, sizeAfter, sourceSize } from "../../program/image-size.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { perImage, type Storage } from "../plan/storage.js";
import { floatBits, type StepDraft } from "./step-draft.js";

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
  const constants = {
    ...{ channels, staged_width: staged!.width, staged_height: staged!.height },
    ...{ slot, view_bytes: viewBytes, words },
    ...Object.fromEntries(
      places.flatMap((place, index) => stepConstants(place, plan.sizes, index)),
    ),
  };
  const steps = prepareSteps(name, problem, { ...storage, constants, sizes: plan.sizes }, input);
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

/** Transforms after which images are no bytes any more. */
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

/** Of all transforms, under the names that the kernels give them. */
function stepConstants(
  { transform, first }: WordsPlace,
  sizes: readonly Size[],
  index: number,
): (readonly [string, number])[] {
  const [from, to] = [sizes[index]!, sizes[index + 1]!];
  const own = {
    ...{ from_width: from.width, from_height: from.height },
    ...{ to_width: to.width, to_height: to.height },
    ...transformConstants(transform),
  };
  return Object.entries(own).map(([name, value]) => [`${name}_${first}`, value] as const);
}

function transformConstants(transform: Transform): Record<string, number> {
  if (transform.kind === "random_erasing") return { value: floatBits(transform.value) };
  if (transform.kind !== "normalize") return {};
  const { mean, std } = transform;
  const channels = [0, 1, 2].flatMap((channel) => [
    [`mean${channel}`, floatBits(mean[channel] ?? mean[0]!)] as const,
    [`std${channel}`, floatBits(std[channel] ?? std[0]!)] as const,
  ]);
  return Object.fromEntries(channels);
}

interface PrepareParts {
  readonly staged: Storage;
  readonly draws: Storage;
  readonly constants: Readonly<Record<string, number>>;
  readonly sizes: readonly Size[];
}

function prepareSteps(
  name: string,
  problem: PrepareProblem,
  { staged, draws, constants, sizes }: PrepareParts,
  { images, origin }: PreparedInput,
): StepDraft[] {
  const means: Storage = {
    name: `${name} means`,
    purpose: "scratch",
    bytes: perImage(4 * problem.views * problem.means),
  };
  const inputs = [staged, draws, ...(problem.means > 0 ? [means] : [])];
  const common = { origin, macs: 0 };
  const meanSteps = problem.steps.flatMap((step, index): StepDraft[] =>
    step.mean === undefined
      ? []
      : [
          {
            ...common,
            kernel: prepareMean(problem, step),
            storage: inputs,
            constants: { ...constants, ...sizes[index]! },
            workgroups: { x: { ...perImage(problem.views), tile: 1 }, z: 1 },
            label: `${name} means for color_jitter`,
          },
        ],
  );
  const size = sizes.at(-1)!;
  return [
    ...meanSteps,
    {
      ...common,
      kernel: prepareImages(problem),
      storage: [...inputs, images],
      constants: { ...constants, ...size },
      workgroups: { x: { ...perImage(size.height * size.width), tile: PREPARE_WORKGROUP }, z: 1 },
      label: `${name} images`,
    },
  ];
}
