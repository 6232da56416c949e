/** What tells the examples of a run from as many others, so that no run resumes on these. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { CsvSource } from "../../program/recipe.js";
import { withHoldout } from "../../runtime/data/holdout.js";
import { openBoxes } from "../../runtime/node/data/boxes.js";
import { contentsOf } from "../../runtime/node/data/contents.js";
import { openFeatures } from "../../runtime/node/data/csv.js";
import { temporaryFolder } from "./pattern.js";

const folder = await temporaryFolder();

const SIZE = { channels: 2, height: 1, width: 1 } as const;
const ROWS = ["1,2,a,p,x", "3,4,b,q,y", "5,6,a,q,z", "7,8,b,p,x"];

describe("a table", () => {
  const contents = async (lines: readonly string[], changes: Partial<CsvSource> = {}) => {
    const path = join(folder, "rows.csv");
    await writeFile(path, ["one,two,kind,patient,note", ...lines].join("\n"));
    const source = {
      kind: "csv",
      path,
      maximum: 1,
      holds: "features",
      label: { column: "kind" },
      ignore: ["note"],
      ...changes,
    } as CsvSource;
    const dataset = await openFeatures({ ...source, standardize: true }, SIZE);
    const held = withHoldout(dataset, { share: 0.25, takes: "rest" });
    expect(contentsOf(held)).toBe(contentsOf(dataset));
    return contentsOf(dataset);
  };
  const plain = { ignore: ["note", "patient"] };

  test("changes with numbers, labels, groups and the order of rows", async () => {
    const by = { holdout: { share: 0.25, takes: "rest", by: "patient" } } as const;
    const own = await contents(ROWS, by);
    expect(await contents(ROWS, by)).toBe(own);
    const others = [
      ROWS.map((row) => row.replace("3,4", "3,4.5")),
      ROWS.map((row) => row.replace("6,a", "6,b")),
      ROWS.map((row) => row.replace("q,z", "p,z")),
      [...ROWS].reverse(),
    ];
    const all = [own];
    for (const lines of others) all.push(await contents(lines, by));
    expect(new Set(all).size).toBe(5);
  });

  test("does not change with what is not read", async () => {
    const others = ROWS.map((row) => row.replace("p,x", "r,w"));
    expect(await contents(others, plain)).toBe(await contents(ROWS, plain));
  });
});

test("boxes change with their numbers, wherever the folder is", async () => {
  const [images, labels] = [join(folder, "images"), join(folder, "labels")];
  for (const path of [images, labels]) await mkdir(path);
  const create = { width: 4, height: 4, channels: 3, background: "black" } as const;
  for (const name of ["1", "2"])
    await sharp({ create })
      .png()
      .toFile(join(images, `${name}.png`));
  const contents = async (line: string, from = images) => {
    for (const name of ["1", "2"]) await writeFile(join(labels, `${name}.txt`), line);
    const options = { labels, count: 1, mostBoxes: 2, channels: 3 } as const;
    return contentsOf(await openBoxes(from, options));
  };
  const own = await contents("0 0.5 0.5 0.2 0.2");
  expect(await contents("0 0.5 0.5 0.2 0.3")).not.toBe(own);
  await rename(images, join(folder, "moved"));
  expect(await contents("0 0.5 0.5 0.2 0.2", join(folder, "moved"))).toBe(own);
});

test("images change with labels, names and their order, wherever the folder is", () => {
  const of = (files: readonly (readonly [string, number])[]) =>
    contentsOf({
      length: files.length,
      labelAt: (index) => files[index]![1],
      nameAt: (index) => files[index]![0],
    });
  const own = of([
    ["photos/a/1.png", 0],
    ["photos/b/2.png", 1],
  ]);
  expect(
    of([
      ["moved/a/1.png", 0],
      ["moved/b/2.png", 1],
    ]),
  ).toBe(own);
  const others = [
    of([
      ["photos/a/1.png", 0],
      ["photos/b/3.png", 1],
    ]),
    of([
      ["photos/a/1.png", 1],
      ["photos/b/2.png", 1],
    ]),
    of([
      ["photos/b/2.png", 1],
      ["photos/a/1.png", 0],
    ]),
  ];
  expect(new Set([own, ...others]).size).toBe(4);
});
