/** Tables that name the image file of each row. */
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CsvSource, TableField } from "../../program/recipe.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { openListed } from "../../runtime/node/data/csv-files.js";
import { openData, openSplit } from "../../runtime/node/data/open.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const folder = join(root, "table");
const notices: string[] = [];

beforeEach(async () => {
  await mkdir(join(folder, "photos"), { recursive: true });
  for (const shade of [10, 20, 30, 40]) {
    const background = { r: shade, g: shade, b: shade };
    const image = sharp({ create: { width: 2, height: 2, channels: 3, background } });
    await image.png().toFile(join(folder, "photos", `${shade}.png`));
  }
});

afterEach(async () => {
  notices.length = 0;
  await rm(folder, { recursive: true, force: true });
});

const IMAGE: TableField = {
  name: "image",
  role: "input",
  holds: "file",
  columns: ["file"],
  size: 1,
};
const KIND: TableField = { name: "kind", role: "target", holds: "class", columns: ["kind"] };
const AGES: TableField = {
  name: "ages",
  role: "target",
  holds: "numbers",
  columns: ["age", "height"],
  size: 2,
};

async function open(
  text: string,
  fields: readonly TableField[],
  source: Partial<CsvSource> = {},
  options: Partial<Parameters<typeof openSplit>[2]> = {},
): Promise<Dataset> {
  await writeFile(join(folder, "table.csv"), text);
  const table = { kind: "csv", path: "table.csv", files: "file", label: "last", maximum: 255 };
  const recipe = { source: { ...table, fields, ...source } as CsvSource, transforms: [] };
  return openSplit({ ...recipe, location: { line: 1, column: 1 } }, "train", {
    shape: { channels: 1, height: 2, width: 2 },
    base: folder,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
}

/** The first pixel of each image that can be read, with what is to be predicted of it. */
async function contentOf(dataset: Dataset) {
  const examples = await Promise.all(
    Array.from({ length: dataset.length }, (_, index) => dataset.get(index)),
  );
  return examples.map((each) => each && [each.image.pixels[0], each.numbers ?? each.label]);
}

const TABLE = [
  "age,file,kind,height",
  "1.5,photos/30.png,rose,3",
  "2.5,photos/10.png,tulip,4",
  "3.5,photos/20.png,rose,5",
  "",
].join("\n");

test("images have the classes of their rows", async () => {
  const dataset = await open(TABLE, [IMAGE, KIND], { ignore: ["age", "height"] });
  expect(dataset.classes).toEqual(["rose", "tulip"]);
  expect(await contentOf(dataset)).toEqual([
    [30, 0],
    [10, 1],
    [20, 0],
  ]);
  expect(dataset.labelAt!(1)).toBe(1);
  expect(dataset.nameAt!(1)).toBe(join(folder, "photos", "10.png"));
});

test("images have the numbers of their rows, also in batches", async () => {
  const dataset = await open(TABLE, [IMAGE, AGES], { ignore: ["kind"] });
  expect(Object.keys(dataset).filter((name) => dataset[name as "name"] === undefined)).toContain(
    "labelAt",
  );
  expect(dataset.table?.columns).toEqual({ image: ["file"], ages: ["age", "height"] });
  const batches = loadBatches(dataset, {
    batch: 2,
    shape: { channels: 1, height: 2, width: 2 },
    transforms: [],
    seed: 0,
    epoch: 0,
    shuffle: false,
  });
  const found: number[][] = [];
  for await (const { images, targets } of batches) {
    const pixels = images as Float32Array;
    found.push([...pixels].filter((_, index) => index % 4 === 0).map((each) => 255 * each));
    found.push([...(targets as unknown as Float32Array)]);
  }
  expect(found.map((each) => each.map(Math.round))).toEqual([[30, 10], [2, 3, 3, 4], [20], [4, 5]]);
});

test("several targets of an image lie together", async () => {
  const dataset = await open(TABLE, [IMAGE, { ...KIND, count: 2 }, AGES]);
  expect(dataset.parts!.targets.map(({ name, size }) => [name, size])).toEqual([
    ["kind", 1],
    ["ages", 2],
  ]);
  expect(dataset.table!.classes).toEqual({ kind: ["rose", "tulip"] });
  expect((await contentOf(dataset))[1]).toEqual([10, Float32Array.of(1, 2.5, 4)]);
});

test("names may lack the ending, and be absolute; other folders are read, too", async () => {
  await mkdir(join(folder, "more"));
  await copyFile(join(folder, "photos", "40.png"), join(folder, "more", "a.b.PNG"));
  const absolute = join(folder, "photos", "20.png");
  const text = `file,kind\nphotos/10,x\nmore/a.b,y\n${absolute},x\nphotos/../photos/30.png,y\n`;
  const pixels = (await contentOf(await open(text, [IMAGE, KIND]))).map((each) => each![0]);
  expect(pixels).toEqual([10, 40, 20, 30]);
});

test("a name without an ending that two files have is refused", async () => {
  await copyFile(join(folder, "photos", "10.png"), join(folder, "photos", "10.jpg"));
  await expect(open("file,kind\nphotos/10,x\n", [IMAGE, KIND])).rejects.toMatchObject({
    message: expect.stringMatching(/^photos\/10 may be 10\.jpg or 10\.png in .*photos$/),
    hint: "write names with their endings into the table",
  });
});

test("rows without their file are left out, with their numbers, and said", async () => {
  const text = TABLE.replace("photos/10.png", "photos/11.png");
  const dataset = await open(text, [IMAGE, AGES], { ignore: ["kind"] });
  expect(await contentOf(dataset)).toEqual([
    [30, Float32Array.of(1.5, 3)],
    [20, Float32Array.of(3.5, 5)],
  ]);
  expect(notices).toEqual([
    `1 row is left out, as the file is missing: ${join(folder, "table.csv")}:3: photos/11.png`,
  ]);
});

test("a table whose files are all missing is refused", async () => {
  const text = TABLE.replaceAll("photos/", "images/");
  const opening = open(text, [IMAGE, KIND], { ignore: ["age", "height"] });
  await expect(opening).rejects.toMatchObject({
    message: expect.stringMatching(/^no file of the 3 .* `?file`? .*:2: images\/30\.png$/),
    hint: `paths are relative to ${folder}, the folder of the table`,
  });
});

test("an empty cell and a missing column are named", async () => {
  const empty = TABLE.replace("photos/10.png", "");
  await expect(open(empty, [IMAGE, AGES], { ignore: ["kind"] })).rejects.toThrow(
    /table\.csv:3: the file, in the column file, is empty/,
  );
  await expect(open(TABLE.replace("file", "path"), [IMAGE, AGES])).rejects.toThrow(
    /has no column file for `image`/,
  );
});

test("groups are those of the rows whose files are there", async () => {
  const text = "file,who,kind\nno.png,a,x\nphotos/10.png,b,x\nphotos/20.png,c,y\n";
  const path = join(folder, "table.csv");
  await writeFile(path, text);
  const by = { share: 0.5, takes: "rest", by: "who" } as const;
  const source = { kind: "csv", path, files: "file", label: "last", maximum: 255 } as const;
  const dataset = await openListed(
    { ...source, fields: [IMAGE, KIND], holdout: by },
    { channels: 1 },
    {},
  );
  expect([dataset.groupAt!(0), dataset.groupAt!(1)]).toEqual(["b", "c"]);
});

test("an image that does not decode is skipped", async () => {
  await writeFile(join(folder, "photos", "10.png"), "no image");
  const skipped: string[] = [];
  const dataset = await open(
    TABLE,
    [IMAGE, AGES],
    { ignore: ["kind"] },
    { maximumSkips: 1, onSkip: ({ file }) => skipped.push(file) },
  );
  expect((await contentOf(dataset))[1]).toBeUndefined();
  expect(skipped).toEqual([join(folder, "photos", "10.png")]);
});

describe("a run that is resumed", () => {
  const classes = ["rose", "tulip"];
  const reopened = async (columns: Record<string, string[]>, classNames: readonly string[]) => {
    await writeFile(join(folder, "table.csv"), `${TABLE}\n3,photos/50.png,rose,5`);
    const source = {
      kind: "csv",
      path: "table.csv",
      files: "file",
      label: "last",
      maximum: 255,
      fields: [IMAGE, KIND],
    } as CsvSource;
    const split = { source, transforms: [], location: { line: 1, column: 1 } };
    const said: string[] = [];
    const { train } = await openData(
      { name: "Table", train: split },
      {
        shape: { channels: 1, height: 2, width: 2 },
        base: folder,
        onNotice: (notice) => said.push(notice),
        classNames,
        table: { columns, classes: { kind: classNames } },
      },
    );
    return { said, train: train! };
  };

  test.each([
    ["with its classes", classes],
    ["with them in another order", ["tulip", "rose"]],
  ])("is told once what is left out, %s", async (_, classNames) => {
    const { said, train } = await reopened({ image: ["file"], kind: ["kind"] }, classNames);
    expect(train.classes).toEqual(classNames);
    expect(said).toEqual([
      expect.stringContaining("2 columns age, height are not read"),
      expect.stringContaining("1 row is left out, as the file is missing"),
    ]);
  });

  test("numbers classes by itself where the weights are of other columns", async () => {
    const { train } = await reopened({ image: ["path"], kind: ["what"] }, classes);
    expect(train.table!.columns).toEqual({ image: ["file"], kind: ["kind"] });
  });
});
