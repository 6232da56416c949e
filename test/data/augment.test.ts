/** RandAugment and its relatives are torchvision's (torchvision/make_augment.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Mask } from "../../runtime/data/dataset.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import {
  magnitudeOf,
  operate,
  OPERATIONS,
  type OperationName,
  type Ranges,
} from "../../runtime/data/augment/operations.js";
import { cornersOf, originOf } from "../../runtime/data/augment/perspective.js";
import {
  AUG_MIX,
  chainsOf,
  mixChains,
  operationsOf,
  RAND_AUGMENT,
  TRIVIAL_AUGMENT,
} from "../../runtime/data/augment/policies.js";
import { toBytes, type ByteImage } from "../../runtime/data/augment/bytes.js";
import { bilinearBy } from "../../runtime/data/augment/warp.js";
import { transformMask } from "../../runtime/data/masks.js";
import { randomFor } from "../../runtime/data/random.js";
import { patternImage } from "./pattern.js";

interface Case {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** In hexadecimal. */
  readonly bytes: string;
}

interface Expected {
  /** Of each policy and operation, the magnitudes of an image of 50x30. */
  readonly tables: Readonly<Record<string, Readonly<Record<OperationName, readonly number[]>>>>;
  readonly operations: readonly (Case & {
    readonly name: OperationName;
    readonly magnitude: number;
    readonly mode: "nearest" | "bilinear";
  })[];
  readonly perspectives: readonly (Case & { readonly ends: readonly [number, number][] })[];
  readonly blurs: readonly (Case & { readonly kernel: [number, number]; readonly sigma: number })[];
  readonly resizes: readonly (Case & { readonly size: [number, number] })[];
}

const expected = JSON.parse(
  readFileSync(new URL("torchvision/augment.json", import.meta.url), "utf8"),
) as Expected;

const imageOf = ({ width, height, channels }: Case) =>
  toBytes(patternImage(width, height, channels));
const KEY = { seed: 1, epoch: 0, example: 0 };

/** Shares of values that differ at all, and by more than 1. */
function differences(pixels: ArrayLike<number>, bytes: string) {
  const wanted = Buffer.from(bytes, "hex");
  expect(pixels.length).toBe(wanted.length);
  const gaps = [...wanted].map((value, index) => Math.abs(value - pixels[index]!));
  const share = (most: number) => gaps.filter((gap) => gap > most).length / gaps.length;
  return { any: share(0), more: share(1) };
}

test("magnitudes are those of torchvision's tables", () => {
  const policies: Readonly<Record<string, Ranges>> = {
    rand_augment: RAND_AUGMENT,
    trivial_augment: TRIVIAL_AUGMENT,
    aug_mix: AUG_MIX,
  };
  for (const [policy, table] of Object.entries(expected.tables)) {
    for (const [name, magnitudes] of Object.entries(table)) {
      magnitudes.forEach((value, index) => {
        const place = [index, magnitudes.length] as const;
        const size = { width: 50, height: 30 };
        const own = magnitudeOf(name as OperationName, place, policies[policy]!, size);
        expect(own, `${policy} ${name} ${index}`).toBeCloseTo(value, 4);
      });
    }
  }
});

test.each(OPERATIONS)("%s", (name) => {
  const cases = expected.operations.filter((each) => each.name === name);
  expect(cases.length).toBeGreaterThan(2);
  const moves = cases.some(({ mode }) => mode === "bilinear");
  for (const each of cases) {
    const { pixels } = operate(imageOf(each), each, each.mode);
    const { any, more } = differences(pixels, each.bytes);
    const what = JSON.stringify({ ...each, bytes: undefined });
    // Colors are equal to the bit. torch computes places in 32 bits: a few pixels lie so near to
    // the middle between two that another one is the nearest, or rounding goes the other way.
    if (!moves) expect(any, what).toBe(0);
    else if (each.mode === "bilinear") expect([any < 0.08, more], what).toEqual([true, 0]);
    else expect(any, what).toBeLessThan(0.05);
  }
});

test("perspective", () => {
  for (const each of expected.perspectives) {
    const image = imageOf(each);
    const { pixels } = bilinearBy(image, originOf(each.ends, image), { fades: true });
    // torch solves for the coefficients in 32 bits.
    expect(differences(pixels, each.bytes).more, JSON.stringify(each.ends)).toBe(0);
    expect(differences(pixels, each.bytes).any).toBeLessThan(0.05);
  }
});

test("gaussian_blur", () => {
  for (const each of expected.blurs) {
    const { kernel, sigma } = each;
    const transform = { kind: "gaussian_blur", kernel, sigma: [sigma, sigma] } as const;
    const { pixels } = applyTransforms(imageOf(each), [transform], KEY);
    const { any, more } = differences(pixels, each.bytes);
    expect([any < 0.01, more]).toEqual([true, 0]);
  }
});

test("bicubic resizing has Pillow's bits", () => {
  for (const each of expected.resizes) {
    const transform = { kind: "resize", size: each.size, mode: "bicubic" } as const;
    const { pixels } = applyTransforms(imageOf(each), [transform], KEY);
    expect(Buffer.from(pixels).toString("hex"), String(each.size)).toBe(each.bytes);
  }
});

const SIZE = { width: 40, height: 40 };
const TIMES = 4000;
const randoms = Array.from({ length: TIMES }, (_, example) => randomFor({ ...KEY, example }, 2));

test("operations, directions and magnitudes are drawn alike", () => {
  const policy = { kind: "trivial_augment" } as const;
  const drawn = randoms.map((random) => operationsOf(policy, SIZE, random)[0]!);
  for (const name of OPERATIONS) {
    const count = drawn.filter((each) => each.name === name).length;
    // Four standard deviations of 4000 / 14.
    expect(Math.abs(count - TIMES / 14), name).toBeLessThan(66);
  }
  const turns = drawn.filter(({ name }) => name === "rotate").map(({ magnitude }) => magnitude);
  const backwards = turns.filter((turn) => turn < 0).length / turns.length;
  expect(Math.abs(backwards - 0.5)).toBeLessThan(0.12);
  expect(Math.max(...turns)).toBeGreaterThan(120);
  expect(new Set(turns.map(Math.abs)).size).toBe(31);
  const three = { kind: "rand_augment", operations: 3, magnitude: 9 } as const;
  expect(operationsOf(three, SIZE, randoms[0]!)).toHaveLength(3);
});

test("aug_mix weighs the image and its chains, which sum to 1", () => {
  const mix = { kind: "aug_mix", severity: 3, chains: 3, alpha: 1, hasAll: true } as const;
  const all = randoms.slice(0, 1000).map((_, example) => {
    return chainsOf(mix, SIZE, randomFor({ ...KEY, example }, 4));
  });
  for (const { own, chains } of all) {
    expect(chains).toHaveLength(3);
    expect(chains.reduce((sum, { weight }) => sum + weight, own)).toBeCloseTo(1, 12);
  }
  const mean = all.reduce((sum, { own }) => sum + own, 0) / all.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.04);
  const depths = all.flatMap(({ chains }) => chains.map(({ operations }) => operations.length));
  expect(new Set(depths)).toEqual(new Set([1, 2, 3]));
  const image = toBytes(patternImage(8, 6, 3));
  const still = { weight: 0.25, operations: [{ name: "identity", magnitude: 0 } as const] };
  expect(mixChains(image, { own: 0.75, chains: [still] }).pixels).toEqual(image.pixels);
  const dark = { weight: 0.5, operations: [{ name: "brightness", magnitude: -1 } as const] };
  const half = mixChains(image, { own: 0.5, chains: [dark] }).pixels;
  expect([...half]).toEqual([...image.pixels].map((value) => Math.floor(value / 2)));
});

test("corners of perspective move inward, as often as it says", () => {
  const perspective = { kind: "perspective", distortion: 0.5, probability: 0.3 } as const;
  const all = Array.from({ length: TIMES }, (_, example) => {
    return cornersOf(perspective, { width: 21, height: 40 }, randomFor({ ...KEY, example }, 1));
  });
  const moved = all.filter((ends) => ends !== undefined);
  expect(Math.abs(moved.length / TIMES - 0.3)).toBeLessThan(0.03);
  const values = (corner: number, axis: 0 | 1) => moved.map((ends) => ends[corner]![axis]);
  expect(new Set(values(0, 0))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  expect(Math.min(...values(2, 0))).toBe(15);
  expect([Math.min(...values(2, 1)), Math.max(...values(2, 1))]).toEqual([29, 39]);
});

test("masks move with their images, and colors leave them as they are", () => {
  const picture = patternImage(16, 12, 1);
  const mask: Mask = { ...toBytes(picture), channels: 1, ignore: 255 };
  const policy = { kind: "rand_augment", operations: 2, magnitude: 20 } as const;
  for (let example = 0; example < 60; example++) {
    const random = () => randomFor({ ...KEY, example }, 0);
    const moves = operationsOf(policy, picture, random()).filter(({ name }) =>
      /shear|translate|rotate/.test(name),
    );
    const image = moves.reduce<ByteImage>((one, each) => operate(one, each), toBytes(picture));
    const moved = transformMask(mask, [policy], { ...KEY, example });
    // Pixels from outside are black in the image, and ignored in the mask.
    const labels = [...moved.pixels].map((label) => (label === 255 ? 0 : label));
    const colors = [...image.pixels].map((value) => (value === 255 ? 0 : value));
    expect(labels).toEqual(colors);
  }
  const blind = { ...mask, ignore: undefined };
  expect(() => transformMask(blind, [policy], KEY)).toThrow("have no class");
});

test("letterbox keeps the shape, and its border has no class", () => {
  const box = { kind: "letterbox", size: [10, 10], value: 1 } as const;
  const image = applyTransforms(patternImage(20, 10, 1), [box], KEY);
  expect([image.width, image.height]).toEqual([10, 10]);
  const row = (at: number) => [...image.pixels.subarray(10 * at, 10 * at + 10)];
  expect([0, 1, 7, 8, 9].every((at) => row(at).every((value) => value === 255))).toBe(true);
  const mask: Mask = { ...toBytes(patternImage(20, 10, 1)), channels: 1, ignore: 255 };
  mask.pixels.fill(3);
  const { pixels } = transformMask(mask, [box], KEY);
  expect([...pixels].filter((label) => label === 3)).toHaveLength(50);
  expect([...pixels.subarray(0, 20)].every((label) => label === 255)).toBe(true);
});

test("crops and resizes of rectangles", () => {
  const random = { kind: "random_crop", size: [4, 6], padding: 1 } as const;
  const central = { kind: "center_crop", size: [4, 6] } as const;
  const resized = {
    kind: "random_resized_crop",
    size: [5, 9],
    scale: [0.3, 0.6],
    ratio: [1, 2],
    mode: "bicubic",
  } as const;
  const image = patternImage(9, 7, 3);
  for (const transform of [random, central, resized]) {
    const { width, height } = applyTransforms(image, [transform], KEY);
    expect([height, width]).toEqual(transform.size);
    const resize = { kind: "resize", size: [8, 12] } as const;
    const after = applyTransforms(image, [resize, transform], KEY);
    expect([after.height, after.width]).toEqual(transform.size);
  }
});
