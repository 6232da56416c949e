import { expect, test } from "vitest";
import type { Transform } from "../../program/recipe.js";
import type { Image } from "../../runtime/data/dataset.js";
import { convertChannels, writePlanes } from "../../runtime/data/image.js";
import { transformMask } from "../../runtime/data/masks.js";
import { resizeImage } from "../../runtime/data/resample.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { patternImage } from "./pattern.js";

const KEY = { seed: 7, epoch: 0, example: 0 };

function apply(image: Image, ...transforms: Transform[]): Image {
  return applyTransforms(image, transforms, KEY);
}

// Pillow 9.4: Image.fromarray(pattern).resize(size, Image.BILINEAR)
const PILLOW_7X5_TO_3X2 = [
  105, 133, 143, 126, 128, 144, 135, 131, 124, 124, 135, 130, 133, 128, 127, 131, 97, 125,
];
const PILLOW_9X6_TO_9X3 = [
  65, 118, 134, 107, 123, 176, 112, 165, 109, 154, 98, 151, 87, 140, 193, 129, 182, 88, 171, 77,
  130, 66, 119, 172, 131, 147, 90, 100, 153, 110, 154, 111, 132, 113, 134, 155, 135, 156, 113, 145,
  102, 155, 162, 119, 76, 120, 77, 130, 79, 100, 153, 179, 136, 125, 134, 187, 130, 91, 144, 88,
  158, 102, 155, 72, 125, 142, 96, 112, 165, 149, 165, 108, 136, 189, 132, 203, 36, 89, 117, 170,
  113,
];
const PILLOW_5X4_TO_8X9_START = [
  0, 53, 106, 16, 69, 122, 39, 92, 145, 62, 115, 168, 86, 139, 192, 109, 162, 215, 132, 185, 238,
  148, 201, 254, 15, 68, 121, 32, 85, 138, 56, 109, 159, 79, 132, 156, 104, 144, 167,
];
const PILLOW_500X375_TO_341X256_EVERY_20011TH = [
  47, 172, 169, 139, 168, 72, 182, 98, 135, 116, 112, 133, 55, 53,
];

test("resizing gives Pillow's bytes, smaller, larger and in one direction", () => {
  const resized = (w: number, h: number, width: number, height: number) => [
    ...resizeImage(patternImage(w, h), { width, height }).pixels,
  ];
  expect(resized(7, 5, 3, 2)).toEqual(PILLOW_7X5_TO_3X2);
  expect(resized(9, 6, 9, 3)).toEqual(PILLOW_9X6_TO_9X3);
  expect(resized(5, 4, 8, 9).slice(0, 39)).toEqual(PILLOW_5X4_TO_8X9_START);
});

test("resizing a photograph's size agrees with Pillow's", () => {
  const { pixels, width, height } = apply(patternImage(500, 375), { kind: "resize", size: 256 });
  expect([width, height]).toEqual([341, 256]);
  expect([...pixels].filter((_, index) => index % 20011 === 0)).toEqual(
    PILLOW_500X375_TO_341X256_EVERY_20011TH,
  );
  const sum = [...pixels].reduce((total, value) => total + value, 0);
  expect(Math.abs(sum - 33363999)).toBeLessThan(pixels.length * 1e-4);
});

test("resize sets the shorter side and keeps the shape, either way round", () => {
  expect(apply(patternImage(30, 20), { kind: "resize", size: 10 })).toMatchObject({
    width: 15,
    height: 10,
  });
  expect(apply(patternImage(20, 31), { kind: "resize", size: 10 })).toMatchObject({
    width: 10,
    height: 15,
  });
});

test("center_crop takes the middle, and surrounds smaller images with zeros", () => {
  const image = patternImage(5, 4, 1);
  const middle = apply(image, { kind: "center_crop", size: 2 });
  // torchvision: left = round(1.5) = 2, top = round(1) = 1
  expect([...middle.pixels]).toEqual([7, 8, 12, 13].map((index) => image.pixels[index]));
  const padded = apply(patternImage(2, 2, 1), { kind: "center_crop", size: 4 });
  expect([...padded.pixels]).toEqual([0, 0, 0, 0, 0, 0, 37, 0, 0, 91, 135, 0, 0, 0, 0, 0]);
});

test("random_crop reaches every position of the padded image and nothing else", () => {
  const image = { ...patternImage(4, 4, 1), pixels: new Uint8Array(16).map((_, i) => i + 1) };
  const crop: Transform = { kind: "random_crop", size: 4, padding: 1 };
  const seen = new Set<string>();
  for (let example = 0; example < 300; example++) {
    const { pixels } = applyTransforms(image, [crop], { ...KEY, example });
    seen.add([...pixels].join());
  }
  expect(seen.size).toBe(9);
});

test("random_crop of an image that is too small says what to do", () => {
  expect(() => apply(patternImage(20, 30), { kind: "random_crop", size: 32, padding: 4 })).toThrow(
    /random_crop\(32, padding=4\) met an image of 20x30/,
  );
});

test("random_resized_crop keeps to its scale and ratio", () => {
  // Each pixel holds its position, so that a crop of the same size as its result shows its corners.
  const width = 100;
  const height = 80;
  const pixels = Float32Array.from({ length: width * height }, (_, index) => index % width);
  const image = { width, height, channels: 1, pixels, maximum: 1 };
  const widths: number[] = [];
  for (let example = 0; example < 200; example++) {
    const crop: Transform = {
      kind: "random_resized_crop",
      size: 50,
      scale: [0.25, 0.5],
      ratio: [0.75, 4 / 3],
    };
    const row = applyTransforms(image, [crop], { ...KEY, example }).pixels;
    widths.push(((row[30]! - row[20]!) / 10) * 50);
  }
  expect(Math.min(...widths)).toBeGreaterThan(Math.sqrt(2000 * 0.75) - 2);
  expect(Math.max(...widths)).toBeLessThan(Math.sqrt(4000 * (4 / 3)) + 2);
  expect(new Set(widths.map(Math.round)).size).toBeGreaterThan(20);
});

test("random_resized_crop falls back to the largest central crop", () => {
  const crop: Transform = { kind: "random_resized_crop", size: 4, scale: [1, 1], ratio: [1, 1] };
  const image = patternImage(12, 4, 1);
  const expected = apply(image, { kind: "center_crop", size: 4 });
  expect(apply(image, crop)).toEqual(expected);
});

test("hflip mirrors the given share of the examples", () => {
  const image = patternImage(3, 1);
  const flipped = apply(image, { kind: "hflip", probability: 1 });
  expect([...flipped.pixels]).toEqual([6, 7, 8, 3, 4, 5, 0, 1, 2].map((i) => image.pixels[i]));
  let count = 0;
  for (let example = 0; example < 1000; example++) {
    const result = applyTransforms(image, [{ kind: "hflip", probability: 0.25 }], {
      ...KEY,
      example,
    });
    if (result !== image) count++;
  }
  expect(count).toBeGreaterThan(200);
  expect(count).toBeLessThan(300);
});

test("random decisions depend on seed, epoch, example and place in the chain", () => {
  const crop: Transform = { kind: "random_crop", size: 16, padding: 16 };
  const image = patternImage(32, 32);
  const results = [
    applyTransforms(image, [crop], KEY),
    applyTransforms(image, [crop], { ...KEY, seed: 8 }),
    applyTransforms(image, [crop], { ...KEY, epoch: 1 }),
    applyTransforms(image, [crop], { ...KEY, example: 1 }),
    applyTransforms(image, [{ kind: "hflip", probability: 0 }, crop], KEY),
  ].map(({ pixels }) => [...pixels].join());
  expect(new Set(results).size).toBe(5);
  expect([...applyTransforms(image, [crop], KEY).pixels].join()).toBe(results[0]);
});

test("normalize works on values from 0 to 1, channel by channel", () => {
  const image = { ...patternImage(1, 1), pixels: new Uint8Array([51, 102, 255]) };
  const result = apply(image, { kind: "normalize", mean: [0.1, 0.4, 0.5], std: [0.5, 1, 0.25] });
  const target = new Float32Array(3);
  writePlanes(result, target, 0);
  [0.2, 0, 2].forEach((value, index) => expect(target[index]).toBeCloseTo(value, 6));
});

test("normalize for another number of channels is refused", () => {
  const transform: Transform = { kind: "normalize", mean: [0.5], std: [0.5] };
  expect(() => apply(patternImage(2, 2), transform)).toThrow(/1 means .* 3 channels/);
});

test("planes hold one channel after another", () => {
  const image = {
    width: 2,
    height: 1,
    channels: 3,
    pixels: new Uint8Array([1, 2, 3, 4, 5, 6]),
    maximum: 1,
  };
  const target = new Float32Array(6);
  writePlanes(image, target, 0);
  expect([...target]).toEqual([1, 4, 2, 5, 3, 6]);
});

test("gray is luma, and color from gray repeats it", () => {
  const image = { ...patternImage(1, 1), pixels: new Uint8Array([255, 0, 0]) };
  expect([...convertChannels(image, 1).pixels]).toEqual([76]);
  expect([...convertChannels(convertChannels(image, 1), 3).pixels]).toEqual([76, 76, 76]);
});

test("an affine transform turns a mask as it turns its picture, and labels what is outside", () => {
  const transform = {
    kind: "affine",
    degrees: [20, 40],
    translate: [0.2, 0.1],
    scale: [0.5, 0.8],
    shear: [0, 10],
  } as const;
  const key = { seed: 3, epoch: 1, example: 7 };
  const image = patternImage(9, 7, 1);
  const pixels = Uint8Array.from(image.pixels, (value) => 1 + (value % 200));
  const picture = { ...image, pixels };
  const turned = applyTransforms(picture, [transform], key);
  const mask = { ...picture, channels: 1, ignore: 255 } as const;
  const labels = transformMask(mask, [transform], key).pixels;
  expect([...labels]).toEqual(Array.from(turned.pixels, (value) => value || 255));
  expect(new Set(labels).size).toBeGreaterThan(10);
  expect(labels).toContain(255);
  const unlabeled = () => transformMask({ ...mask, ignore: undefined }, [transform], key);
  expect(unlabeled).toThrow("pixels there have no class");
});

test("affine shifts by whole pixels, up to shares of the width and of the height", () => {
  const still = { kind: "affine", degrees: [0, 0], scale: [1, 1], shear: [0, 0] } as const;
  const transform = { ...still, translate: [0.4, 0.2] } as const;
  const image = patternImage(10, 10);
  const shifts = Array.from({ length: 200 }, (_, example) => {
    const { pixels } = applyTransforms(image, [transform], { seed: 1, epoch: 0, example });
    const isShift = ([x, y]: readonly number[]) =>
      pixels.every((value, index) => {
        const [column, row] = [(Math.floor(index / 3) % 10) - x!, Math.floor(index / 30) - y!];
        const isInside = column >= 0 && column < 10 && row >= 0 && row < 10;
        return value === (isInside ? image.pixels[(row * 10 + column) * 3 + (index % 3)] : 0);
      });
    return SHIFTS.find(isShift)!.join();
  });
  expect(new Set(shifts).size).toBe(SHIFTS.length);
});

/** Up to 4 columns and 2 rows in both directions. */
const SHIFTS = Array.from({ length: 9 * 5 }, (_, index) => [
  (index % 9) - 4,
  Math.floor(index / 9) - 2,
]);
