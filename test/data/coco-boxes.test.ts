/** COCO's annotations of objects as a source of boxes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dataset } from "../../runtime/data/dataset.js";
import { openBoxes } from "../../runtime/node/data/boxes.js";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "netc-coco-"));
  mkdirSync(join(folder, "images/night"), { recursive: true });
  const create = { width: 16, height: 8, channels: 3, background: "red" } as const;
  for (const name of ["a.png", "night/b.png", "unlisted.png"])
    await sharp({ create })
      .png()
      .toFile(join(folder, "images", name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IMAGE = { width: 16, height: 8 };
const WHOLE = {
  images: [
    { id: 7, file_name: "a.png", ...IMAGE },
    { id: 3, file_name: "night/b.png", ...IMAGE },
    { id: 9, file_name: "gone.png", ...IMAGE },
  ],
  categories: [
    { id: 90, name: "dog" },
    { id: 4, name: "cat" },
  ],
  annotations: [
    { id: 1, image_id: 7, category_id: 90, bbox: [4, 2, 8, 4], iscrowd: 0 },
    { id: 2, image_id: 7, category_id: 4, bbox: [-2, 6, 4, 4] },
    { id: 3, image_id: 7, category_id: 4, bbox: [0, 0, 9, 9], iscrowd: 1 },
    { id: 4, image_id: 3, category_id: 4, bbox: [3, 3, 0, 2] },
  ],
};

async function open(file: object | string, options: object = {}): Promise<Dataset> {
  const labels = join(folder, "instances.json");
  writeFileSync(labels, typeof file === "string" ? file : JSON.stringify(file));
  const rule = { labels, channels: 3, count: 2, mostBoxes: 3 } as const;
  return openBoxes(join(folder, "images"), { ...rule, ...options });
}

const boxesOf = async (dataset: Dataset, index: number) =>
  (await dataset.get(index))!.boxes!.items.map((box) => [
    box.label,
    ...[box.left, box.top, box.right, box.bottom],
  ]);

test("reads images, categories by their ids, and boxes in pixels", async () => {
  const notices: string[] = [];
  const dataset = await open(WHOLE, { onNotice: (text: string) => notices.push(text) });
  expect(dataset.classes).toEqual(["cat", "dog"]);
  expect(dataset.length).toBe(2);
  expect(await boxesOf(dataset, 0)).toEqual([
    [1, 4, 2, 12, 6],
    [0, 0, 6, 2, 8],
  ]);
  expect(await boxesOf(dataset, 1)).toEqual([]);
  const said = notices.join("\n");
  expect(said).toContain("1 that it does not list");
  expect(said).toContain("does not hold 1 image of the 3");
  expect(said).toContain("left out 1 box around a crowd");
  expect(said).toContain("left out 1 box of which nothing is in the image");
});

test("classes choose categories and their order, and otherwise follow training", async () => {
  const notices: string[] = [];
  const onNotice = (text: string) => notices.push(text);
  const dogs = await open(WHOLE, { names: ["dog"], count: 1, onNotice });
  expect((await boxesOf(dogs, 0)).map(([label]) => label)).toEqual([0]);
  expect(notices.join("\n")).toContain("left out 3 boxes of other categories");
  const trained = await open(WHOLE, { trained: ["dog", "cat"] });
  expect((await boxesOf(trained, 0)).map(([label]) => label)).toEqual([0, 1]);
});

const one = (change: object) => ({
  ...WHOLE,
  annotations: [{ ...WHOLE.annotations[0], ...change }],
});

test.each([
  ["text", "{", {}, "instances.json is not JSON"],
  ["a list", [], {}, "has no list `images`"],
  ["no categories", { ...WHOLE, categories: undefined }, {}, "has no list `categories`"],
  ["other counts", WHOLE, { count: 3 }, "has 2 categories (cat, dog), but the target"],
  ["other names", WHOLE, { names: ["cat", "cow"] }, "has no category cow"],
  ["no size", { ...WHOLE, images: [{ id: 7, file_name: "a.png" }] }, {}, "image 7 needs"],
  ["no image", one({ image_id: 5 }), {}, "annotation 1 is of image 5, which there is not"],
  ["no box", one({ bbox: [1, 2, 3] }), {}, "annotation 1: expected `bbox` of four numbers"],
  ["text in a box", one({ bbox: [1, 2, 3, "4"] }), {}, 'got [1,2,3,"4"]'],
  [
    "other folders",
    { ...WHOLE, images: [{ ...WHOLE.images[2], id: 7 }], annotations: [] },
    {},
    "none of the 1",
  ],
  ["no boxes", { ...WHOLE, annotations: [] }, {}, "no image of"],
  ["too many boxes", WHOLE, { mostBoxes: 1 }, "a.png has 2 boxes, and the target holds 1"],
])("refuses %s", async (_, file, options, message) => {
  await expect(open(file, options)).rejects.toThrow(message);
});

test("boxes in the pixels of another image are refused", async () => {
  const turned = WHOLE.images.map((image) => ({ ...image, width: 8, height: 16 }));
  const dataset = await open({ ...WHOLE, images: turned });
  await expect(dataset.get(0)).rejects.toThrow("16x8 pixels (width x height)");
});
