/** Columns of other tables are those of the trained one, found by the names in their headers. */
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { CsvSource, TableField } from "../../program/recipe.js";
import type { Dataset, TableFacts } from "../../runtime/data/dataset.js";
import { openData, openEvaluation } from "../../runtime/node/data/index.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

const FIELDS: readonly TableField[] = [
  { name: "x", role: "input", holds: "numbers", size: 2 },
  { name: "kind", role: "target", holds: "class", columns: "last", size: 1 },
];

const LOCATION = { line: 1, column: 1 };

const SOURCE: CsvSource = {
  kind: "csv",
  path: "",
  label: "last",
  holds: "features",
  maximum: 1,
  fields: FIELDS,
};

const splitOf = (path: string, source: Partial<CsvSource> = {}) => ({
  source: { ...SOURCE, ...source, path },
  transforms: [],
  location: LOCATION,
});

interface Given {
  readonly train: string;
  readonly eval: string;
  readonly source?: Partial<CsvSource>;
  readonly table?: TableFacts;
}

async function open({ train, eval: evaluated, source, table }: Given) {
  await writeFile(join(root, "train.csv"), train);
  await writeFile(join(root, "eval.csv"), evaluated);
  const notices: string[] = [];
  const recipe = {
    name: "D",
    train: splitOf("train.csv", source),
    eval: splitOf("eval.csv", source),
  };
  const options = {
    shape: { channels: 2, height: 1, width: 1 },
    base: root,
    table,
    onNotice: (notice: string) => notices.push(notice.replaceAll(root, "")),
  };
  return { opened: () => openData(recipe, options), notices, recipe, options };
}

async function rowsOf(dataset: Dataset) {
  const examples = await Promise.all(
    Array.from({ length: dataset.length }, (_, row) => dataset.get(row)),
  );
  return examples.map((each) => [...each!.image.pixels, dataset.classes[each!.label]]);
}

const TRAIN = "a,b,kind\n1,2,x\n3,4,y\n";

test("in any order, with the label elsewhere", async () => {
  const { opened, notices } = await open({ train: TRAIN, eval: "kind,b,a\ny,20,10\n" });
  const { evaluation } = await opened();
  expect(await rowsOf(evaluation!)).toEqual([[10, 20, "y"]]);
  expect(notices).toEqual([]);
});

test("a column too many is said, one too few refused", async () => {
  const more = await open({ train: TRAIN, eval: "note,a,b,kind\nhello,10,20,y\n" });
  const { evaluation } = await more.opened();
  expect(await rowsOf(evaluation!)).toEqual([[10, 20, "y"]]);
  expect(more.notices).toEqual([
    "/eval.csv: the column note is not read: no input or target has it",
  ]);
  const fewer = await open({ train: TRAIN, eval: "a,c,kind\n10,20,y\n" });
  await expect(fewer.opened()).rejects.toMatchObject({
    message: expect.stringContaining(
      "eval.csv has no column b for `x`, which the trained table has",
    ),
    hint: "its columns are a, c, kind",
  });
});

test("without a header, columns are those of the same places, which is said", async () => {
  const { opened, notices } = await open({ train: TRAIN, eval: "10,20,y\n" });
  const { evaluation } = await opened();
  expect(await rowsOf(evaluation!)).toEqual([[10, 20, "y"]]);
  expect(notices).toEqual(["/eval.csv has no header: its columns are taken in their order"]);
});

test("pixels, too", async () => {
  const { recipe, options } = await open({
    train: "p0,p1,p2,p3,kind\n1,2,3,4,x\n5,6,7,8,y\n",
    eval: "kind,p3,p2,p1,p0\ny,40,30,20,10\n",
    source: {
      holds: "pixels",
      maximum: 255,
      fields: [
        { name: "image", role: "input", holds: "pixels" },
        { name: "kind", role: "target", holds: "class", columns: "last", size: 1 },
      ],
    },
  });
  const { evaluation } = await openData(recipe, {
    ...options,
    shape: { channels: 1, height: 2, width: 2 },
  });
  expect(await rowsOf(evaluation!)).toEqual([[10, 20, 30, 40, "y"]]);
});

test("a run that continues reads a table whose columns were put in another order", async () => {
  const before = await open({ train: TRAIN, eval: TRAIN });
  const { table } = (await before.opened()).train!;
  expect(table).toEqual({
    columns: { x: ["a", "b"], kind: ["kind"] },
    classes: { kind: ["x", "y"] },
  });
  const again = await open({ train: "b,a,kind\n2,1,x\n4,3,y\n", eval: TRAIN, table: table! });
  expect(await rowsOf((await again.opened()).train!)).toEqual([
    [1, 2, "x"],
    [3, 4, "y"],
  ]);
});

test("an evaluation finds columns by the weights' names, or those of the train split", async () => {
  const { recipe, options } = await open({ train: TRAIN, eval: "b,kind,a\n20,y,10\n" });
  expect(await rowsOf(await openEvaluation(recipe, options))).toEqual([[10, 20, "y"]]);
  const table = { columns: { x: ["b", "a"], kind: ["kind"] } };
  const turned = await openEvaluation(recipe, { ...options, table, classNames: ["x", "y"] });
  expect(await rowsOf(turned)).toEqual([[20, 10, "y"]]);
});

test("two columns without a name are refused", async () => {
  const { opened } = await open({ train: "a,,kind,\n1,2,x,3\n", eval: TRAIN });
  await expect(opened()).rejects.toThrow(/train\.csv:1: two columns have no name/);
});
