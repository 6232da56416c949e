/** Which operations RandAugment, TrivialAugment and AugMix draw for an image. */
import type { TransformOf } from "../../../program/transforms.js";
import type { Image, Mask } from "../dataset.js";
import type { Size } from "../decide.js";
import { gamma } from "../decide-mixing.js";
import type { ExampleRandom } from "../random.js";
import { toBytes, type ByteImage } from "./bytes.js";
import {
  ALL_MIXED_OPERATIONS,
  isSigned,
  magnitudeOf,
  MIXED_OPERATIONS,
  operate,
  operateOnMask,
  OPERATIONS,
  type Operation,
  type OperationName,
  type Ranges,
} from "./operations.js";

/** Magnitudes that RandAugment and TrivialAugment have. */
const MAGNITUDES = 31;
/** Those that AugMix has. */
const SEVERITIES = 10;

export const RAND_AUGMENT: Ranges = {
  shear: 0.3,
  translate: ({ width, height }) => [(150 / 331) * width, (150 / 331) * height],
  degrees: 30,
  color: 0.9,
  bits: [8, 4],
};

export const TRIVIAL_AUGMENT: Ranges = {
  shear: 0.99,
  translate: () => [32, 32],
  degrees: 135,
  color: 0.99,
  bits: [8, 6],
};

export const AUG_MIX: Ranges = {
  ...RAND_AUGMENT,
  translate: ({ width, height }) => [width / 3, height / 3],
  bits: [4, 4],
};

/** What an operation is drawn from. */
interface Choice {
  readonly names: readonly OperationName[];
  readonly ranges: Ranges;
  /** The magnitude's index among this many. */
  readonly index: () => number;
  readonly count: number;
}

function drawn({ names, ranges, index, count }: Choice, size: Size, random: ExampleRandom) {
  const name = names[random.below(names.length)]!;
  const magnitude = magnitudeOf(name, [index(), count], ranges, size);
  const isTurned = isSigned(name) && random.unit() < 0.5;
  return { name, magnitude: isTurned ? -magnitude : magnitude };
}

type Policy = TransformOf<"rand_augment" | "trivial_augment">;

/** The operations on an image of that size, one after the other. */
export function operationsOf(
  policy: Policy,
  size: Size,
  random: ExampleRandom,
): readonly Operation[] {
  const common = { names: OPERATIONS, count: MAGNITUDES };
  if (policy.kind === "trivial_augment") {
    const index = () => random.below(MAGNITUDES);
    return [drawn({ ...common, ranges: TRIVIAL_AUGMENT, index }, size, random)];
  }
  const choice = { ...common, ranges: RAND_AUGMENT, index: () => policy.magnitude };
  return Array.from({ length: policy.operations }, () => drawn(choice, size, random));
}

export function augment(image: Image, policy: Policy, random: ExampleRandom): Image {
  const operations = operationsOf(policy, image, random);
  return operations.reduce<ByteImage>((current, each) => operate(current, each), toBytes(image));
}

/** The mask of an image after the same operations. */
export function augmentMask(
  mask: Mask,
  policy: Policy,
  random: ExampleRandom,
  outside: number,
): Mask {
  const operations = operationsOf(policy, mask, random);
  return operations.reduce((current, each) => operateOnMask(current, each, outside), mask);
}

/** From the Dirichlet distribution with all parameters `alpha`: they sum to 1. */
export function dirichlet(count: number, alpha: number, random: ExampleRandom): readonly number[] {
  const parts = Array.from({ length: count }, () => gamma(alpha, random));
  const sum = parts.reduce((total, part) => total + part, 0);
  // All are 0 only where alpha is so small that one of them alone counts.
  const one = sum > 0 ? -1 : random.below(count);
  return parts.map((part, index) => (sum > 0 ? part / sum : Number(index === one)));
}

/** What AugMix draws for an image. */
export interface Chains {
  /** What the image itself counts. */
  readonly own: number;
  readonly chains: readonly {
    readonly weight: number;
    readonly operations: readonly Operation[];
  }[];
}

export function chainsOf(
  { severity, chains: count, depth, alpha, hasAll }: TransformOf<"aug_mix">,
  size: Size,
  random: ExampleRandom,
): Chains {
  const [own, mixed] = dirichlet(2, alpha, random) as [number, number];
  const names = hasAll ? ALL_MIXED_OPERATIONS : MIXED_OPERATIONS;
  const index = () => random.below(severity);
  const choice = { names, ranges: AUG_MIX, index, count: SEVERITIES };
  const chains = dirichlet(count, alpha, random).map((weight) => {
    const length = depth ?? 1 + random.below(3);
    const operations = Array.from({ length }, () => drawn(choice, size, random));
    return { weight: weight * mixed, operations };
  });
  return { own, chains };
}

/** The weighted sum of an image and of chains of operations on it, cut off to bytes. */
export function mixChains(image: ByteImage, { own, chains }: Chains): ByteImage {
  const sums = Float32Array.from(image.pixels, (value) => own * value);
  for (const { weight, operations } of chains) {
    const { pixels } = operations.reduce(
      (current, each) => operate(current, each, "bilinear"),
      image,
    );
    pixels.forEach((value, index) => (sums[index]! += weight * value));
  }
  return { ...image, pixels: Uint8Array.from(sums, (value) => Math.min(255, value)) };
}

export function augMix(image: Image, mix: TransformOf<"aug_mix">, random: ExampleRandom): Image {
  const bytes = toBytes(image);
  return mixChains(bytes, chainsOf(mix, bytes, random));
}
