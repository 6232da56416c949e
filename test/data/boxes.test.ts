/** Boxes of images: read, moved with their image, and packed for the network. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packBoxes, transformBoxes } from "../../runtime/data/boxes.js";
import type { Boxes, Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { openBoxes } from "../../runtime/node/data/boxes.js";
import type { Transform } from "../../program/transforms.js";

const KEY = { seed: 1, epoch: 0, example: 0 };
const ONE: Boxes = {
  width: 100,
  height: 50,
  most: 2,
  items: [{ label: 1, left: 10, top: 5, right: 30, bottom: 25 }],
};
const edges = ({ items }: Boxes) =>
  items.map(({ left, top, right, bottom }) => [left, top, right, bottom]);
const after = (boxes: Boxes, ...transforms: readonly Transform[]) =>
  transformBoxes(boxes, transforms, KEY);

describe("transforms", () => {
  test("resize scales both sides", () => {
    const boxes = after(ONE, { kind: "resize", size: [100, 100] });
    expect([boxes.width, boxes.height, edges(boxes)]).toEqual([100, 100, [[10, 10, 30, 50]]]);
  });

  test("flips mirror", () => {
    expect(edges(after(ONE, { kind: "hflip", probability: 1 }))).toEqual([[70, 5, 90, 25]]);
    expect(edges(after(ONE, { kind: "vflip", probability: 1 }))).toEqual([[10, 25, 30, 45]]);
    expect(after(ONE, { kind: "hflip", probability: 0 })).toBe(ONE);
  });

  test("a crop keeps what it leaves of boxes whose middle is in it", () => {
    // The middle 30 of 100x50: columns 35 to 65, rows 10 to 40.
    const boxes = {
      ...ONE,
      items: [
        ...ONE.items,
        { label: 0, left: 30, top: 0, right: 50, bottom: 30 },
        { label: 2, left: 20, top: 20, right: 49, bottom: 30 },
      ],
    };
    const cropped = after(boxes, { kind: "center_crop", size: 30 });
    expect(cropped.items.map(({ label }) => label)).toEqual([0]);
    expect(edges(cropped)).toEqual([[0, 0, 15, 20]]);
  });

  test("letterbox scales both sides alike, and moves boxes to where the image is", () => {
    const boxes = after(ONE, { kind: "letterbox", size: [50, 50], value: 0 });
    // 100x50 becomes 50x25, with 12 rows above it.
    expect([boxes.width, boxes.height, edges(boxes)]).toEqual([50, 50, [[5, 14.5, 15, 24.5]]]);
  });

  test("a padded crop moves boxes, and colors leave them", () => {
    const padded = after({ ...ONE, width: 50 }, { kind: "random_crop", size: 50, padding: 10 });
    const [[left, , right] = []] = edges(padded);
    expect(right! - left!).toBeGreaterThan(9);
    expect(after(ONE, { kind: "normalize", mean: [0.5], std: [0.5] })).toBe(ONE);
  });

  test("what does not say what becomes of boxes is refused", () => {
    expect(() => after(ONE, { kind: "mixup", alpha: 0.2 })).toThrow("becomes of boxes");
  });

  test("boxes are packed as shares, and -1 fills the rest of the room", () => {
    expect([...packBoxes(ONE)].map((value) => +value.toFixed(6))).toEqual([
      ...[1, 0.2, 0.3, 0.2, 0.4],
      ...[-1, 0, 0, 0, 0],
    ]);
  });
});

describe("a data source", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "netc-boxes-"));
    for (const name of ["images", "labels"]) mkdirSync(join(folder, name));
    const picture = { width: 16, height: 8, channels: 3, background: "red" } as const;
    for (const name of ["a", "b", "c"])
      await sharp({ create: picture })
        .png()
        .toFile(join(folder, "images", `${name}.png`));
    writeFileSync(join(folder, "labels/a.txt"), "1 0.5 0.5 0.25 0.5\n0 0.25 0.25 0.5 0.5\n\n");
    writeFileSync(join(folder, "labels/b.txt"), "");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const open = (options: object = {}): Promise<Dataset> =>
    openBoxes(join(folder, "images"), {
      labels: join(folder, "labels"),
      channels: 3,
      count: 2,
      mostBoxes: 3,
      ...options,
    });

  test("gives images with boxes; empty and missing files have none, and are counted", async () => {
    const notices: string[] = [];
    const dataset = await open({ onNotice: (text: string) => notices.push(text) });
    expect(notices).toEqual([`1 image has no file in ${join(folder, "labels")}, and so no boxes`]);
    const shape = { channels: 3, height: 8, width: 8 };
    const transforms: readonly Transform[] = [
      { kind: "resize", size: [8, 8] },
      { kind: "hflip", probability: 1 },
    ];
    const options = { batch: 3, shape, transforms, seed: 1, epoch: 0, shuffle: false };
    const { value: batch } = await loadBatches(dataset, options).next();
    expect([...(batch!.targets as unknown as Float32Array)]).toEqual([
      ...[1, 0.5, 0.5, 0.25, 0.5],
      ...[0, 0.75, 0.25, 0.5, 0.5],
      ...[-1, 0, 0, 0, 0],
      ...Array.from({ length: 6 }, () => [-1, 0, 0, 0, 0]).flat(),
    ]);
  });

  test.each([
    ["0 0.5 0.5 0.5", "expected five numbers, `class x y width height`"],
    ["2 0.5 0.5 0.5 0.5", "class 2 is not one of the 2 classes, 0 to 1"],
    ["0 32 16 10 10", "are not shares of the image"],
    ["0 0.5 0.5 nan 0.5", "expected five numbers"],
    ["0 0.5 0.5 Infinity 0.5", "expected five numbers"],
    ["0x1 0.5 0.5 0.5 0.5", "expected five numbers"],
    ["-1 0.5 0.5 0.5 0.5", "class -1 is not one of the 2 classes"],
    ["0 0.5 0.5 0 0.5", "a box of size 0 x 0.5 has no area"],
    ["0 0.5 0.5 0.5 -0.1", "a box of size 0.5 x -0.1 has no area"],
    ["0 0.5 0.5 1e-50 0.5", "has no area"],
    ["0 -0.2 0.5 0.5 0.5", "the middle of the box, -0.2, 0.5, is outside of the image"],
  ])("a wrong line is named by its place: %s", async (line, message) => {
    const path = join(folder, "labels/c.txt");
    writeFileSync(path, `0 0.5 0.5 0.1 0.1\n${line}\n`);
    try {
      await expect(open()).rejects.toThrow(message);
      await expect(open()).rejects.toThrow(`${path}:2`);
    } finally {
      rmSync(path);
    }
  });

  test.each([
    ["2 0.5 0.5 0.5 0.5", "counted from 0: subtract 1"],
    ["cat 0.5 0.5 0.5 0.5", "`classes=[...]` of `boxes` names them"],
    ["0,0.5,0.5,0.5,0.5", "separate the numbers by spaces"],
    ["0 0.5 0.5 0.5 0.5 0.9", "the score of a prediction"],
    ["0 0.1 0.1 0.5 0.1 0.5 0.5", "corners of an outline"],
  ])("what a line of another format is: %s", async (line, hint) => {
    const path = join(folder, "labels/c.txt");
    writeFileSync(path, `\uFEFF${line}\r\n`);
    try {
      await expect(open()).rejects.toMatchObject({ hint: expect.stringContaining(hint) as string });
    } finally {
      rmSync(path);
    }
  });

  const first = async (dataset: Dataset, name: string) => {
    const at = Array.from({ length: dataset.length }, (_, index) => index);
    return dataset.get(at.find((index) => dataset.nameAt!(index).endsWith(name))!);
  };

  test("boxes end with the image, and a middle at its edge is in the last cell", async () => {
    const path = join(folder, "labels/c.txt");
    writeFileSync(path, "0 1 0.5 0.5 0.5\r\n1 1.0004 1 1e-6 1.0005\n");
    try {
      const example = (await first(await open(), "c.png"))!;
      const [edge, corner] = edges(example.boxes!);
      expect(edge).toEqual([12, 2, 16, 6]);
      expect(corner![2]).toBe(16);
      const flipped = transformBoxes(example.boxes!, [{ kind: "hflip", probability: 1 }], KEY);
      for (const boxes of [example.boxes!, flipped]) {
        const [, x, y] = packBoxes(boxes).subarray(5);
        for (const middle of [x!, y!]) expect(middle).toBeLessThan(1);
      }
    } finally {
      rmSync(path);
    }
  });

  test("says how many boxes share a cell", async () => {
    const path = join(folder, "labels/c.txt");
    writeFileSync(path, "0 0.2 0.2 0.1 0.1\n0 0.3 0.3 0.1 0.1\n1 0.9 0.2 0.1 0.1\n");
    try {
      const notices: string[] = [];
      const grid = { width: 2, height: 2 };
      await open({ grid, onNotice: (text: string) => notices.push(text) });
      expect(notices.at(-1)).toMatch(/^1 of 5 boxes .* 2x2 cells/);
      await open({ grid: { width: 8, height: 8 }, onNotice: (text: string) => notices.push(text) });
      expect(notices.filter((text) => text.includes("cells"))).toHaveLength(1);
    } finally {
      rmSync(path);
    }
  });

  test("data without a box are refused", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty, { recursive: true });
    writeFileSync(join(empty, "a.txt"), "");
    await expect(open({ labels: empty })).rejects.toThrow("has a box in");
  });

  test("more boxes than the target holds, and other classes, are refused", async () => {
    await expect(open({ mostBoxes: 1 })).rejects.toThrow("has 2 boxes, and the target holds 1");
    await expect(open({ names: ["x"] })).rejects.toThrow("names 1 classes");
  });
});
