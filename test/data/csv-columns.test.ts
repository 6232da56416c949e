/** Columns of CSV files by their names: labels, groups, and what is not read. */
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { CsvSource } from "../../program/recipe.js";
import { withHoldout } from "../../runtime/data/holdout.js";
import { openFeatures } from "../../runtime/node/data/csv.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

async function open(
  text: string,
  source: Partial<CsvSource>,
  rules: { readonly classes?: readonly string[]; readonly classCount?: number } = {},
) {
  const path = join(root, "table.csv");
  await writeFile(path, text);
  const size = { channels: 2, height: 1, width: 1 };
  return openFeatures(
    { kind: "csv", label: "last", holds: "features", maximum: 1, ...source, path },
    size,
    rules,
  );
}

async function contentOf(dataset: Awaited<ReturnType<typeof open>>) {
  const examples = await Promise.all(
    Array.from({ length: dataset.length }, (_, row) => dataset.get(row)),
  );
  return examples.map((each) => [...each!.image.pixels, dataset.classes[each!.label]]);
}

const NAMED = "id,a,kind,b\n7,1,x,2\n8,3,y,4\n";
const BARE = "7,1,x,2\n8,3,y,4\n";

test("a label in the middle and a column to leave out, with a header and without", async () => {
  const rows = [
    [1, 2, "x"],
    [3, 4, "y"],
  ];
  const named = await open(NAMED, { label: { column: "kind" }, ignore: ["id"] });
  expect(await contentOf(named)).toEqual(rows);
  const bare = await open(BARE, { label: { column: "3" }, ignore: ["1"] });
  expect(await contentOf(bare)).toEqual(rows);
});

test("names that no column has, and a column of two roles, are refused", async () => {
  const kind = { column: "kind" };
  await expect(open(NAMED, { label: kind, ignore: ["ident"] })).rejects.toMatchObject({
    message: expect.stringMatching(/table\.csv has no column ident, which `ignore` names/),
    hint: "its columns are id, a, kind, b",
  });
  await expect(open(NAMED, { label: { column: "sort" } })).rejects.toThrow(/no column sort/);
  await expect(open(NAMED, { label: kind, ignore: ["kind"] })).rejects.toThrow(
    /the column kind holds `label`, and is also given as one to ignore/,
  );
  await expect(open(NAMED, { label: kind })).rejects.toThrow(
    /`x` has 2 numbers, but 3 columns are left for it/,
  );
});

test("row numbers of pandas are left out where the spec says so", async () => {
  const text = ",a,b,label\n0,1,2,x\n1,3,4,y\n";
  await expect(open(text, {})).rejects.toThrow(/it numbers the rows/);
  expect((await open(text, { ignore: [""] })).length).toBe(2);
});

test("labels that are listed are names, whatever numbers they are", async () => {
  const text = "a,b,label\n1,2,2\n3,4,1.0\n5,6,-1\n";
  const classes = ["-1", "1", "2"];
  const listed = await open(text, { classes }, { classCount: 3 });
  expect((await contentOf(listed)).map((row) => row[2])).toEqual(["2", "1", "-1"]);
  // Those of training come in its order, and a class that it does not have is refused.
  const trained = await open(text, { classes }, { classes: ["2", "1", "-1"], classCount: 3 });
  expect(trained.labelAt!(0)).toBe(0);
  await expect(open(text, { classes: ["1", "2"] })).rejects.toThrow(
    /table\.csv:4: the label is -1, which is not in the list of classes/,
  );
  await expect(open(text, { classes }, { classes: ["1", "2"] })).rejects.toThrow(
    /a class that training does not have: -1/,
  );
});

test("rows of one group stay in one split, and the group is not a feature", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `p${row % 15},${row},1,${row % 2}`);
  const source = { holdout: { share: 0.2, takes: "holdout", by: "patient" } } as const;
  const dataset = await open(`patient,a,b,label\n${rows.join("\n")}\n`, source);
  const held = withHoldout(dataset, source.holdout);
  const rest = withHoldout(dataset, { ...source.holdout, takes: "rest" });
  const groupsOf = (split: typeof held) =>
    new Set(Array.from({ length: split.length }, (_, row) => split.groupAt!(row)));
  expect(held.length).toBe(12);
  expect([...groupsOf(held)].filter((group) => groupsOf(rest).has(group))).toEqual([]);
  await expect(open("patient,a,b,label\n,1,2,0\n", source)).rejects.toThrow(
    /table\.csv:2: the group, in the first column, is empty/,
  );
});
