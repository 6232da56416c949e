/** The dispatches that prepare a split's images. */
import type { Preparation, PreparationName } from "../../program/program.js";
import type { Transform, TransformOf, WordsPlace } from "../../program/transforms.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { TypedKernel } from "../kernels/define-kernel.js";
import {
  prepareImages,
  prepareMean,
  stepConstant,
  type PrepareProblem,
} from "../kernels/prepare.js";
import type { PreparationPlan, PreparationPlans } from "../plan/preparation.js";
import type { Size } from "../plan/staging.js";
import { perImage, type Storage } from "../plan/storage.js";
import { dispatch, type Bound } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** A preparation before its buffers have numbers. */
export interface PreparationDraft extends Pick<
  Preparation,
  "transforms" | "first" | "views" | "pictures"
> {
  readonly staged: Size & {
    readonly channels: number;
    readonly slot: number;
    readonly storage: Storage;
  };
  readonly draws: { readonly words: number; readonly storage: Storage };
  readonly steps: readonly StepDraft[];
}

export type PreparationDrafts = { readonly [name in PreparationName]?: PreparationDraft };

export const lowerPreparations = ({ train, eval: evaluation, evalTuples }: PreparationPlans) =>
  withoutUndefined({
    train: train ? lowerPreparation(train) : undefined,
    eval: evaluation ? lowerPreparation(evaluation) : undefined,
    evalTuples: evalTuples ? lowerPreparation(evalTuples) : undefined,
  });

function lowerPreparation(plan: PreparationPlan): PreparationDraft {
  const { transforms, first, views, channels, slot, words, sizes, storage } = plan;
  return {
    transforms,
    first,
    views,
    ...withoutUndefined({ pictures: picturesOf(plan) }),
    staged: { ...sizes[0]!, channels, slot, storage: storage.staged },
    draws: { words, storage: storage.draws },
    steps: prepareSteps(plan),
  };
}

/** How many go to separate inputs. */
const picturesOf = ({ images }: PreparationPlan): number | undefined =>
  images.length > 1 ? images.length : undefined;

const problemOf = ({ steps, channels, views, means, images }: PreparationPlan): PrepareProblem => ({
  steps: steps.map(({ transform, first, ...own }) => {
    return { kind: transform.kind, firstWord: first, ...own };
  }),
  isGray: channels === 1,
  mixes: images.length === 1 && views === 2,
  views,
  means,
});

function prepareSteps(plan: PreparationPlan): readonly StepDraft[] {
  const { name, origin, steps, sizes } = plan;
  const { staged, draws, means } = plan.storage;
  const problem = problemOf(plan);
  const given = steps.map((place, index) => stepConstants(place, sizes, index));
  const meanSteps = steps.flatMap(({ mean }, index): StepDraft[] => {
    if (mean === undefined) return [];
    const kernel = prepareMean(problem, index);
    const step = dispatch(kernel, {
      buffers: { staged, draws, means },
      constants: constantsOf(plan, kernel, sizes[index]!),
      fragments: given.slice(0, index + 1),
      workgroups: { x: { ...perImage(problem.views), tile: 1 }, z: 1 },
      label: `${name} means for color_jitter`,
      origin,
    });
    return [step];
  });
  const size = sizes.at(-1)!;
  const kernel = prepareImages(problem);
  const imageSteps = plan.images.map((images, picture) =>
    dispatch(kernel, {
      buffers: {
        staged,
        draws,
        images,
        ...withoutUndefined({ means: problem.means > 0 ? means : undefined }),
      },
      constants: {
        ...constantsOf(plan, kernel, size),
        ...withoutUndefined({ picture: picturesOf(plan) && picture }),
      },
      fragments: given,
      threads: perImage(size.height * size.width),
      label: picturesOf(plan) ? `${name} ${images.name}` : `${name} images`,
      origin,
    }),
  );
  return [...meanSteps, ...imageSteps];
}

/** What a kernel is given of the staged images and what was drawn; `size`: that of its result. */
function constantsOf(
  { sizes, channels, slot, viewBytes, words, images }: PreparationPlan,
  { constants }: TypedKernel,
  { height, width }: Size,
) {
  const [staged] = sizes as [Size, ...Size[]];
  return {
    channels,
    staged_width: staged.width,
    // Where each picture has its own bytes, the kernels count pictures.
    slot: slot / images.length,
    words,
    ...withoutUndefined({
      staged_height: "staged_height" in constants ? staged.height : undefined,
      view_bytes: "view_bytes" in constants ? viewBytes : undefined,
    }),
    height,
    width,
  };
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
    case "affine":
      return { from_width: from.width, from_height: from.height };
    case "hflip":
      return { to_width: to.width };
    case "vflip":
      return { to_height: to.height };
    case "normalize":
      return { ...channelConstants("mean", transform), ...channelConstants("std", transform) };
    case "random_erasing":
      return transform.value === "random" ? {} : { value: transform.value };
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
