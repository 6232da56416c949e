/** Which of a split's transforms can happen on the device, and on images of which size. */
import { keepsSize, sizeAfter, sourceSize } from "../../program/image-size.js";
import type { DataSplitRecipe } from "../../program/recipe.js";
import {
  isPrepared,
  type PreparedKind,
  type Transform,
  type TransformOf,
} from "../../program/transforms.js";

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface Staging {
  /** The transforms that happen on the device, from where the size of images is known. */
  readonly prepared: readonly TransformOf<PreparedKind>[];
  /** The size before each of them, and after the last. */
  readonly sizes: readonly Size[];
}

/** As much of the chain as can be done from bytes of one size. */
export function planStaging(
  { source, transforms }: DataSplitRecipe,
  input: Size,
): Staging | undefined {
  const sizes = knownSizes(source.kind === "csv" ? undefined : source, transforms, input);
  let first = transforms.length;
  while (first > 0 && isOnDevice(transforms[first - 1]!)) first--;
  while (sizes[first] === undefined) first++;
  if (transforms.slice(0, first).some(({ kind }) => MAKES_FLOATS[kind])) return undefined;
  return {
    prepared: transforms.slice(first).filter(isPrepared),
    sizes: sizes.slice(first) as Size[],
  };
}

/** A crop that only some images have leaves them in sizes that differ. */
const isOnDevice = (transform: Transform) =>
  isPrepared(transform) && (!transform.when || keepsSize(transform));

/** Transforms after which images are not bytes any more. */
const MAKES_FLOATS: { readonly [Kind in Transform["kind"]]?: true } = {
  normalize: true,
  color_jitter: true,
  pca_noise: true,
  random_erasing: true,
  cutmix: true,
  mixup: true,
  mixture: true,
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
