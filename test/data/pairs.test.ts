import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Transform } from "../../program/transforms.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { chooseStaging } from "../../runtime/data/stage.js";
import { openPairs, type PairsOptions } from "../../runtime/node/data/pairs.js";
import { decodeMask } from "../../runtime/node/data/read-mask.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const fixtures = join(import.meta.dirname, "masks");

describe("masks are read as numbers", async () => {
  const text = await readFile(join(fixtures, "pillow.json"), "utf8");
  const expected = JSON.parse(text) as Record<string, readonly number[]>;
  test.each(Object.entries(expected))("%s, as Pillow reads it", async (name, labels) => {
    const mask = await decodeMask(await readFile(join(fixtures, `${name}.png`)));
    expect([mask.width, mask.height]).toEqual([13, 9]);
    expect([...mask.pixels]).toEqual(labels);
  });

  test("damage, colors and other formats are refused", async () => {
    const bytes = await readFile(join(fixtures, "palette8.png"));
    await expect(decodeMask(bytes.subarray(0, 700))).rejects.toThrow("truncated");
    const image = sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } });
    await expect(decodeMask(await image.png().toBuffer())).rejects.toThrow("it holds colors");
    await expect(decodeMask(await image.jpeg().toBuffer())).rejects.toThrow("PNG files");
  });
});

/** Four classes in stripes, and ignored pixels at two edges. */
const labelAt = (x: number, y: number) => (x === 0 || y === 11 ? 255 : ((x >> 2) + (y >> 2)) % 4);
const [WIDTH, HEIGHT] = [16, 12];
const labels = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, index) =>
  labelAt(index % WIDTH, Math.floor(index / WIDTH)),
);

/** Of which each pixel is its label, brighter. */
const picture = labels.map((label) => (label === 255 ? 0 : 50 * (label + 1)));

const grayPng = (pixels: Uint8Array, width = WIDTH) =>
  sharp(pixels, { raw: { width, height: pixels.length / width, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();

async function folderOf(name: string, files: Readonly<Record<string, Uint8Array>>) {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(root, name, path, ".."), { recursive: true });
    await writeFile(join(root, name, path), bytes);
  }
  const folder = join(root, name);
  const open = (options: Partial<PairsOptions> = {}) =>
    openPairs(join(folder, "images"), {
      channels: 1,
      masks: join(folder, "masks"),
      labels: { classes: 4, ignore: 255 },
      ...options,
    });
  return { folder, open };
}

const files = {
  "images/a.png": await grayPng(picture),
  "images/in/b.png": await grayPng(picture),
  "masks/a.png": await grayPng(labels),
  "masks/in/b.png": await grayPng(labels),
};

test("images and masks of one name are pairs, and other files are counted", async () => {
  const notices: string[] = [];
  const { open } = await folderOf("counted", {
    ...files,
    "images/lonely.png": files["images/a.png"],
    "masks/other.png": files["masks/a.png"],
    "masks/.hidden": new Uint8Array(1),
    "masks/readme.txt": new Uint8Array(1),
  });
  const dataset = await open({ onNotice: (notice) => notices.push(notice) });
  expect(dataset.length).toBe(2);
  expect(dataset.classes).toEqual(["0", "1", "2", "3"]);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(/4 files are not used: 1 \.txt \(.*1 hidden/);
  expect(notices[0]).toMatch(/1 without a mask \(.*lonely.png\), 1 without an image/);
  const { mask } = (await dataset.get(1))!;
  expect([...mask!.pixels]).toEqual([...labels]);
});

const CHAIN: readonly Transform[] = [
  { kind: "random_crop", size: 10, padding: 2 },
  { kind: "affine", degrees: [-30, 30], translate: [0.1, 0], scale: [0.8, 1.2], shear: [0, 9] },
  { kind: "hflip", probability: 0.5 },
  { kind: "color_jitter", brightness: [1, 1], contrast: [1, 1], saturation: [1, 1], hue: [0, 0] },
  { kind: "vflip", probability: 0.5 },
];

const SPEC = `
  model M {
    input image: f32[N, 1, 10, 10]
    target mask: u32[N, 10, 10] in 0..4
    conv(4, kernel=1) as out
    loss cross_entropy(out, mask, ignore=255)
  }
  data D for M {
    train pairs("images", "masks") {
      resize(12) -> random_crop(10, padding=2) -> rotation(30) -> hflip -> vflip
    }
  }
  train T of M on D {
    epochs = 1
    batch = 2
    optimizer = sgd(lr=0.1)
  }`;

test("crops, turns and flips move images and masks alike, here and for the device", async () => {
  const { open } = await folderOf("joint", files);
  const dataset = await open();
  const shape = { channels: 1, height: 10, width: 10 };
  const seen = new Set<string>();
  for (let epoch = 0; epoch < 12; epoch++) {
    const options = { batch: 2, shape, transforms: CHAIN, seed: 3, epoch, shuffle: true };
    for await (const { images, targets } of loadBatches(dataset, options)) {
      const given = targets as Uint32Array;
      const expected = Array.from(given, (label) => (label === 255 ? 0 : 50 * (label + 1)));
      expect(Array.from(images as Float32Array, (value) => Math.round(255 * value))).toEqual(
        expected,
      );
      seen.add(given.join());
    }
  }
  expect(seen.size).toBeGreaterThan(10);
  const { programs, recipe, diagnostics } = compile(SPEC, { file: "m.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const { transforms } = recipe!.data!.train!;
  const staging = chooseStaging(programs[0]!, "train", { dataset, transforms });
  // Decisions of the device's transforms follow from their place in the whole chain.
  for (let epoch = 0; epoch < 4; epoch++) {
    const options = { batch: 2, shape, transforms, seed: 3, epoch, shuffle: true };
    const [onDevice, here] = await Promise.all(
      [staging, undefined].map(async (each) => {
        const all = [];
        for await (const { targets } of loadBatches(dataset, { ...options, staging: each! }))
          all.push(targets);
        return all;
      }),
    );
    expect(onDevice).toEqual(here);
  }
});

test("a turned mask needs a label to ignore, and is never mixed", () => {
  const strict = SPEC.replace(", ignore=255", "").replace("padding=2", "padding=0");
  const messagesOf = (text: string) =>
    compile(text, { file: "m.net" }).diagnostics.map(({ code, message }) => `${code} ${message}`);
  expect(messagesOf(strict)).toContain(
    "NET3025 `rotation` adds pixels around the mask that have no class",
  );
  expect(messagesOf(SPEC.replace("-> vflip", "-> mixup_or_cutmix"))).toContain(
    "NET3025 `mixup_or_cutmix` has no meaning for masks",
  );
});

test("a resized mask has the labels of the nearest pixels, and no others", async () => {
  const { open } = await folderOf("resized", files);
  const dataset = await open();
  const transforms: readonly Transform[] = [
    { kind: "random_resized_crop", size: 7, scale: [0.3, 1], ratio: [0.75, 1.33] },
  ];
  const shape = { channels: 1, height: 7, width: 7 };
  const options = { batch: 2, shape, transforms, seed: 5, epoch: 0, shuffle: false };
  for await (const { images, targets } of loadBatches(dataset, options)) {
    const given = targets as Uint32Array;
    expect(given.every((label) => label < 4 || label === 255)).toBe(true);
    // Where neighbors have one label, the picture, which is interpolated, has its brightness.
    const values = images as Float32Array;
    const isInner = (index: number) =>
      [0, 1, -1, 7, -7].every((step) => given[index + step] === given[index]) && index % 7 > 0;
    const inner = [...given.keys()].filter((index) => isInner(index) && given[index] !== 255);
    const close = inner.filter((index) => {
      return Math.abs(255 * values[index]! - 50 * (given[index]! + 1)) < 30;
    });
    expect(close.length).toBeGreaterThanOrEqual(0.8 * inner.length);
  }
});

describe("what does not fit is refused by the mask's name", () => {
  test("a label outside of the classes", async () => {
    const { open } = await folderOf("labels", files);
    const dataset = await open({ labels: { classes: 3, ignore: 255 } });
    await expect(dataset.get(0)).rejects.toThrow(
      /masks\/a.png: it has the label 3 in row 0, column 12: labels are 0 to 2, or 255/,
    );
    const strict = await open({ labels: { classes: 4, ignore: undefined } });
    await expect(strict.get(0)).rejects.toThrow(/label 255 in row 0, column 0: .* 0 to 3$/);
  });

  test("a mask of another size, a crop beyond it, and folders without pairs", async () => {
    const other = await grayPng(labels.subarray(0, 96), 8);
    const { open, folder } = await folderOf("sizes", { ...files, "masks/a.png": other });
    await expect((await open()).get(0)).rejects.toThrow("it has 8x12, and its image 16x12 pixels");
    const { open: openOther } = await folderOf("labels", files);
    const plain = labels.map((label) => (label === 255 ? 0 : label));
    const { open: openPlain } = await folderOf("plain", {
      "images/a.png": files["images/a.png"],
      "masks/a.png": await grayPng(plain),
    });
    const dataset = await openPlain({ labels: { classes: 4, ignore: undefined } });
    const key = { seed: 0, epoch: 0, example: 0 };
    const crop = { kind: "center_crop", size: 20 } as const;
    await expect(dataset.prepare!(0, { transforms: [crop], key })).rejects.toThrow(
      "a crop of 20x20 reaches beyond a mask of 16x12",
    );
    await expect(openOther({ masks: join(folder, "images/in") })).rejects.toThrow("2 images");
    await expect(openOther({ names: ["sky"] })).rejects.toThrow("names 1 classes");
  });
});
