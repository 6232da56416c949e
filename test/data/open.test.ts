import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { DataRecipe, DataSource } from "../../program/recipe.js";
import { openData, openSplit } from "../../runtime/node/data/open.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const shape = { channels: 3, height: 4, width: 4 };
const background = { r: 1, g: 2, b: 3 };
const png = await sharp({ create: { width: 4, height: 4, channels: 3, background } })
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

const location = { line: 1, column: 1 };

function recipe(train: DataSource, evaluation: DataSource = train): DataRecipe {
  return {
    name: "Pictures",
    train: { source: train, transforms: [], location },
    eval: { source: evaluation, transforms: [], location },
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

test("paths of the spec start from its folder, and evaluation follows training's classes", async () => {
  const { train, evaluation, notices } = await openData(folders, { shape, base: root });
  expect(train!.length).toBe(6);
  expect((await evaluation!.get(0))!.label).toBe(1);
  expect(notices).toEqual([]);
});

test("--data with train/ and test/ replaces the spec's paths, whatever the source", async () => {
  for (const data of [
    folders,
    recipe({ kind: "cifar10", path: "none" }),
    recipe({ kind: "idx", path: "none" }),
  ]) {
    const opened = await openData(data, { shape, base: root, directory: join(root, "tested") });
    expect(opened.train!.classes).toEqual(["x", "y"]);
    expect(opened.evaluation!.length).toBe(2);
  }
});

test("--data with class folders alone trains without evaluation, and says so", async () => {
  const directory = join(root, "flat");
  const opened = await openData(folders, { shape, base: root, directory });
  expect(opened.train!.length).toBe(2);
  expect(opened.evaluation).toBeUndefined();
  expect(opened.notices[0]).toMatch(/neither val\/ nor test\//);
  const alone = await openSplit(folders.eval!, "eval", { shape, base: root, directory });
  expect(alone.length).toBe(2);
});

test("--data without the split that is needed says what is there", async () => {
  const directory = join(root, "only");
  await expect(openData(folders, { shape, base: root, directory })).rejects.toThrow(
    /holds val\/, but no train\/ to train on/,
  );
});

test("--data may be a CSV file, or the directory of one with the spec's name", async () => {
  await writeFile(join(root, "other.csv"), `${Array(48).fill(7).join()},1\n`);
  const data = recipe({ kind: "csv", path: "missing/other.csv", label: "last", maximum: 255 });
  for (const directory of [join(root, "other.csv"), root]) {
    const { train } = await openData(data, { shape, base: "/nowhere", directory });
    expect(train!.length).toBe(1);
  }
  await mkdir(join(root, "bare"));
  await expect(
    openData(data, { shape, base: root, directory: join(root, "bare") }),
  ).rejects.toThrow(/there is no file .*bare\/other\.csv/);
});

test("more classes than the network has are refused", async () => {
  await expect(openData(folders, { shape, base: root, classes: 1 })).rejects.toThrow(
    /has 2 classes, but the network tells 1 apart/,
  );
});

test("a missing directory is named with its whole path", async () => {
  await expect(openData(folders, { shape, base: join(root, "elsewhere") })).rejects.toMatchObject({
    name: "DataError",
    message: `there is no directory ${join(root, "elsewhere/pictures/train")}`,
  });
});

test("splits that share examples, or leave some out, are refused", async () => {
  const source = { kind: "folder", path: "all" } as const;
  const location = { line: 1, column: 1 };
  const split = (share: number) => ({
    ...{ transforms: [], location },
    source: { ...source, holdout: { share, takes: "rest" } } as const,
  });
  const open = openData(
    { name: "Pictures", train: split(0.1), eval: split(0.2) },
    { shape, base: root },
  );
  await expect(open).rejects.toMatchObject({
    message: expect.stringMatching(/trains on "all" but for a holdout of 0\.1, .* 0\.2 of it/),
    hint: "give both splits the same holdout",
  });
});
