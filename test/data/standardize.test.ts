/** Columns with mean 0 and deviation 1, by the rows that are trained on. */
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { CsvSource, TableField } from "../../program/recipe.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { openUnlabeled } from "../../runtime/node/data/csv-rows.js";
import { openData, openEvaluation } from "../../runtime/node/data/index.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

const LOCATION = { line: 1, column: 1 };

const X: TableField = {
  name: "x",
  role: "input",
  holds: "numbers",
  size: 2,
  standardize: { channels: 2, isLast: false },
};

const tableOf = (x: TableField, path: string, holdout?: CsvSource["holdout"]): CsvSource => ({
  kind: "csv",
  path,
  label: "last",
  holds: "features",
  maximum: 1,
  standardize: true,
  fields: [x, { name: "y", role: "target", holds: "numbers", columns: ["y"], size: 1 }],
  holdout,
});

function open(x: TableField, holdout?: CsvSource["holdout"]) {
  const split = (path: string, own?: CsvSource["holdout"]) => ({
    source: tableOf(x, path, own),
    transforms: [],
    location: LOCATION,
  });
  const notices: string[] = [];
  const recipe = {
    name: "D",
    train: split("train.csv", holdout && { ...holdout, takes: "rest" }),
    eval: split(holdout ? "train.csv" : "eval.csv", holdout && { ...holdout, takes: "holdout" }),
  };
  const options = {
    shape: { channels: x.size!, height: 1, width: 1 },
    base: root,
    onNotice: (notice: string) => notices.push(notice.replaceAll(root, "")),
  };
  return { opened: () => openData(recipe, options), recipe, options, notices };
}

async function pixelsOf(dataset: Dataset): Promise<readonly number[][]> {
  const examples = await Promise.all(
    Array.from({ length: dataset.length }, (_, row) => dataset.get(row)),
  );
  return examples.map((each) => [...each!.image.pixels]);
}

const write = (name: string, text: string) => writeFile(join(root, name), text);

test("the means are those of the train split, in another file, too", async () => {
  await write("train.csv", "a,b,y\n1,10,0\n3,10.5,0\n5,11,0\n");
  await write("eval.csv", "y,b,a\n0,20,9\n");
  const { opened } = open(X);
  const { train, evaluation } = await opened();
  const [mean, std] = [3, Math.sqrt(8 / 3)];
  const near = (rows: readonly number[][]) =>
    rows.map((row) => row.map((each) => expect.closeTo(each, 5)));
  expect(await pixelsOf(train!)).toEqual(
    near([
      [(1 - mean) / std, (10 - 10.5) / (std / 4)],
      [0, 0],
      [(5 - mean) / std, (11 - 10.5) / (std / 4)],
    ]),
  );
  expect(await pixelsOf(evaluation!)).toEqual(near([[(9 - mean) / std, (20 - 10.5) / (std / 4)]]));
  expect(evaluation!.table!.scale).toEqual(train!.table!.scale);
});

test("rows that are held out do not count", async () => {
  const rows = Array.from({ length: 40 }, (_, row) => [row * row, Math.sin(row)]);
  await write("train.csv", `a,b,y\n${rows.map((row) => `${row.join(",")},0`).join("\n")}\n`);
  const { opened } = open(X, { share: 0.25, takes: "rest" });
  const { train, evaluation } = await opened();
  const trained = await pixelsOf(train!);
  expect([trained.length, evaluation!.length]).toEqual([30, 10]);
  for (const column of [0, 1]) {
    const own = trained.map((row) => row[column]!);
    const mean = own.reduce((sum, each) => sum + each, 0) / own.length;
    const square = own.reduce((sum, each) => sum + each * each, 0) / own.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(square).toBeCloseTo(1, 5);
  }
  const held = (await pixelsOf(evaluation!)).map((row) => row[0]!);
  expect(Math.abs(held.reduce((sum, each) => sum + each, 0) / held.length)).toBeGreaterThan(0.01);
  expect(evaluation!.table!.scale).toEqual(train!.table!.scale);
});

test("a constant column is said, and comes to 0", async () => {
  await write("train.csv", "a,b,y\n1,0.1,0\n2,0.1,0\n4,0.1,1\n");
  await write("eval.csv", "a,b,y\n1,0.1,0\n");
  const { opened, notices } = open(X);
  const { train } = await opened();
  expect((await pixelsOf(train!)).map((row) => row[1])).toEqual([0, 0, 0]);
  expect(notices).toEqual([
    "/train.csv: the same number is in all rows that are trained on of the column b: " +
      "standardized, it is 0",
  ]);
});

test("some columns alone, and a name that no column has", async () => {
  await write("train.csv", "a,b,y\n1,7,0\n3,8,0\n");
  await write("eval.csv", "a,b,y\n1,7,0\n");
  const some = open({ ...X, standardize: { channels: 2, isLast: false, columns: ["a*"] } });
  expect(await pixelsOf((await some.opened()).train!)).toEqual([
    [-1, 7],
    [1, 8],
  ]);
  const none = open({ ...X, standardize: { channels: 2, isLast: false, columns: ["c"] } });
  await expect(none.opened()).rejects.toMatchObject({
    message: expect.stringContaining("no input of numbers has a column c, which `standardize`"),
    hint: "their columns are a, b",
  });
});

test.each([
  ["a sequence", true, [1, 3, 1, 3]],
  ["a signal", false, [1, 1, 3, 3]],
])("the channels of %s have one mean each", async (_, isLast, means) => {
  await write("train.csv", "p,q,r,s,y\n0,2,2,4,0\n");
  await write("eval.csv", "p,q,r,s,y\n0,2,2,4,0\n");
  const { opened } = open({ ...X, size: 4, standardize: { channels: 2, isLast } });
  expect((await opened()).train!.table!.scale!["x"]!.mean).toEqual(means);
});

test("evaluations and rows to predict take the weights' numbers, or are refused", async () => {
  await write("eval.csv", "a,b,y\n10,30,0\n");
  const { recipe, options } = open(X);
  const table = {
    columns: { x: ["a", "b"], y: ["y"] },
    scale: { x: { mean: [0, 10], std: [5, 10] } },
  };
  expect(await pixelsOf(await openEvaluation(recipe, { ...options, table }))).toEqual([[2, 2]]);
  await write("train.csv", "not a table");
  await expect(openEvaluation(recipe, options)).rejects.toThrow(/nothing says by which means/);
  const source = { ...tableOf(X, join(root, "eval.csv")) };
  const size = { channels: 2, height: 1, width: 1 };
  expect(await pixelsOf(await openUnlabeled(source, size, { table }))).toEqual([[2, 2]]);
  await expect(openUnlabeled(source, size, { table: { columns: table.columns } })).rejects.toThrow(
    /nothing says by which means/,
  );
});
