import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import type { DataRecipe, DataSource, DataSplitRecipe } from "../../program/recipe.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import {
  openData,
  openEvaluation,
  openSplit,
  type OpenDataOptions,
} from "../../runtime/node/data/open.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const SHAPE = { channels: 3, height: 4, width: 4 };
const BACKGROUND = { r: 1, g: 2, b: 3 };
const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: BACKGROUND } })
  .png()
  .toBuffer();

async function makeClasses(
  directory: string,
  classes: readonly string[],
  images = 1,
): Promise<void> {
  for (const name of classes) {
    await mkdir(join(directory, name), { recursive: true });
    for (let index = 0; index < images; index++) {
      await writeFile(join(directory, name, `${index}.png`), png);
    }
  }
}

const LOCATION = { line: 1, column: 1 };

function recipe(train: DataSource, evaluation: DataSource = train): DataRecipe {
  return {
    name: "Pictures",
    train: { source: train, transforms: [], location: LOCATION },
    eval: { source: evaluation, transforms: [], location: LOCATION },
  };
}

const folders = recipe(
  { kind: "folder", path: "pictures/train" },
  { kind: "folder", path: "pictures/val" },
);

await makeClasses(join(root, "pictures/train"), ["a", "b"], 3);
await makeClasses(join(root, "pictures/val"), ["b"]);
await makeClasses(join(root, "tested/train"), ["x", "y"]);
await makeClasses(join(root, "tested/test"), ["y"], 2);
await makeClasses(join(root, "only/val"), ["x"]);
await makeClasses(join(root, "flat"), ["x", "y"]);

test("paths start from the spec's folder; evaluation follows training's classes", async () => {
  const { train, evaluation, notices } = await openData(folders, { shape: SHAPE, base: root });
  expect(train!.length).toBe(6);
  expect((await evaluation!.get(0))!.label).toBe(1);
  expect(notices).toEqual([
    `the eval split (${join(root, "pictures/val")}) has no examples of a class, which ` +
      `the train split (${join(root, "pictures/train")}) has: a`,
  ]);
});

test("--data with train/ and test/ replaces the spec's paths, whatever the source", async () => {
  for (const data of [
    folders,
    recipe({ kind: "cifar10", path: "none" }),
    recipe({ kind: "idx", path: "none" }),
  ]) {
    const opened = await openData(data, {
      shape: SHAPE,
      base: root,
      directory: join(root, "tested"),
    });
    expect(opened.train!.classes).toEqual(["x", "y"]);
    expect(opened.evaluation!.length).toBe(2);
  }
});

test("--data with class folders alone trains without evaluation, and says so", async () => {
  const directory = join(root, "flat");
  const opened = await openData(folders, { shape: SHAPE, base: root, directory });
  expect(opened.train!.length).toBe(2);
  expect(opened.evaluation).toBeUndefined();
  expect(opened.notices[0]).toMatch(/neither val\/ nor test\//);
  const alone = await openSplit(folders.eval!, "eval", { shape: SHAPE, base: root, directory });
  expect(alone.length).toBe(2);
});

test("--data without the split that is needed says which splits exist", async () => {
  const directory = join(root, "only");
  await expect(openData(folders, { shape: SHAPE, base: root, directory })).rejects.toThrow(
    /holds val\/, but no train\/ to train on/,
  );
});

test("--data may be a CSV file, or the directory of one with the spec's name", async () => {
  await writeFile(join(root, "other.csv"), `${Array(48).fill(7).join()},1\n`);
  const data = recipe({ kind: "csv", path: "missing/other.csv", label: "last", maximum: 255 });
  for (const directory of [join(root, "other.csv"), root]) {
    const { train } = await openData(data, { shape: SHAPE, base: "/nowhere", directory });
    expect(train!.length).toBe(1);
  }
  await mkdir(join(root, "bare"));
  await expect(
    openData(data, { shape: SHAPE, base: root, directory: join(root, "bare") }),
  ).rejects.toThrow(/there is no file .*bare\/other\.csv/);
});

test("more classes than the network has are refused", async () => {
  await expect(openData(folders, { shape: SHAPE, base: root, classes: 1 })).rejects.toThrow(
    /has 2 classes, but the network tells 1 apart/,
  );
});

test("a missing directory is named with its whole path", async () => {
  await expect(
    openData(folders, { shape: SHAPE, base: join(root, "elsewhere") }),
  ).rejects.toMatchObject({
    name: "DataError",
    message: `there is no directory ${join(root, "elsewhere/pictures/train")}`,
  });
});

test("splits that share examples, or leave some out, are refused", async () => {
  const source = { kind: "folder", path: "all" } as const;
  const location = { line: 1, column: 1 };
  const split = (share: number) => ({
    transforms: [],
    location,
    source: { ...source, holdout: { share, takes: "rest" } } as const,
  });
  const open = openData(
    { name: "Pictures", train: split(0.1), eval: split(0.2) },
    { shape: SHAPE, base: root },
  );
  await expect(open).rejects.toMatchObject({
    message: expect.stringMatching(/trains on "all" but for a holdout of 0\.1, .* 0\.2 of it/),
    hint: "give both splits the same holdout",
  });
});

const of = (classes: number) => ({ shape: SHAPE, base: root, classes });

function openedForEvaluation(data: DataRecipe, options: Partial<OpenDataOptions> = {}) {
  const notices: string[] = [];
  const onNotice = (notice: string) => void notices.push(notice);
  const recipe = data as DataRecipe & { eval: DataSplitRecipe };
  const opened = openEvaluation(recipe, { ...of(3), onNotice, ...options });
  return opened.then((dataset) => ({ dataset, notices }));
}

describe("class numbers of an eval split that lacks a class", () => {
  const folder = (path: string): DataSource => ({ kind: "folder", path });
  const split = recipe(folder("three/train"), folder("three/val"));
  const labels = (dataset: Dataset) =>
    Array.from({ length: dataset.length }, (_, at) => dataset.labelAt!(at));

  beforeAll(async () => {
    await makeClasses(join(root, "three/train"), ["a", "b", "c"]);
    await makeClasses(join(root, "three/val"), ["a", "c"]);
    await makeClasses(join(root, "numbers/val"), ["0", "1"]);
    await makeClasses(join(root, "uneven"), ["a"], 6);
    await makeClasses(join(root, "uneven"), ["b"]);
  });

  test("follow the names of the weights", async () => {
    const classNames = ["c", "b", "a"];
    const { dataset, notices } = await openedForEvaluation(split, { classNames });
    expect(labels(dataset)).toEqual([2, 0]);
    expect(notices).toEqual([`${join(root, "three/val")} has no examples of a class: b`]);
  });

  test("or else those of the train split, also where `--data` names the eval split", async () => {
    for (const directory of [undefined, join(root, "three"), join(root, "three/val")]) {
      const { dataset } = await openedForEvaluation(split, { directory });
      expect(labels(dataset), directory).toEqual([0, 2]);
      expect(dataset.classes).toEqual(["a", "b", "c"]);
    }
  });

  test("or are an error, unless all classes are there or labels are numbers", async () => {
    const alone = recipe(folder("nowhere/train"), folder("three/val"));
    await expect(openedForEvaluation(alone)).rejects.toThrow(
      /three\/val has 2 classes \(a, c\), the network has 3, and the weights do not name theirs/,
    );
    const { dataset } = await openedForEvaluation(alone, { classes: 2 });
    expect(labels(dataset)).toEqual([0, 1]);
    const numbers = recipe(folder("nowhere/train"), folder("numbers/val"));
    expect(labels((await openedForEvaluation(numbers)).dataset)).toEqual([0, 1]);
  });

  test("a train split that lacks a class of the weights keeps their numbers", async () => {
    const flipped = recipe(folder("three/val"), folder("three/train"));
    const known = { ...of(3), classNames: ["a", "b", "c"] };
    const { train, evaluation, notices } = await openData(flipped, known);
    expect(labels(train!)).toEqual([0, 2]);
    expect(labels(evaluation!)).toEqual([0, 1, 2]);
    expect(notices).toEqual([
      `the train split (${join(root, "three/val")}) has no examples of a class, which ` +
        `the eval split (${join(root, "three/train")}) has: b`,
    ]);
  });

  test("a train split with other classes than the weights has its own, which is said", async () => {
    const said: string[] = [];
    const onNotice = (notice: string) => void said.push(notice);
    const options = { ...of(3), classNames: ["x", "a"], onNotice };
    const { train } = await openData(split, options);
    expect(train!.classes).toEqual(["a", "b", "c"]);
    expect(said).toEqual([expect.stringContaining("classes that the weights do not name: b, c.")]);
  });

  test("a holdout without examples of a class is seen, too", async () => {
    const held = { kind: "folder", path: "uneven" } as const;
    const { notices } = await openData(
      recipe(
        { ...held, holdout: { share: 0.34, takes: "rest" } },
        { ...held, holdout: { share: 0.34, takes: "holdout" } },
      ),
      of(3),
    );
    expect(notices).toEqual([
      expect.stringMatching(/^the eval split \(.* has no examples of a class, which .*: b$/),
    ]);
  });
});
