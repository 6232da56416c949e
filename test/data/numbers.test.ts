/** Numbers to predict from CSV files. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LabelColumn } from "../../program/recipe.js";
import { chooseStaging, loadBatches } from "../../runtime/data/index.js";
import { openFeatures } from "../../runtime/node/data/csv.js";
import { tensorsFor } from "../tensors.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

async function open(text: string, label: LabelColumn, numbers: number) {
  const path = join(root, "table.csv");
  await writeFile(path, text);
  const source = { kind: "csv", path, label, numbers, holds: "features", maximum: 1 } as const;
  return openFeatures(source, { channels: 2, height: 1, width: 1 });
}

test("come to the loss in the order of the spec's names, whatever the file's", async () => {
  const dataset = await open(
    "u,a,b,v\n-1.5,1,2,7\n2e3,3,4,-0.25\n8,5,6,9\n",
    {
      columns: ["v", "u"],
    },
    2,
  );
  expect(dataset.classes).toEqual([]);
  const shape = { channels: 2, height: 1, width: 1 };
  const staging = chooseStaging({ tensors: tensorsFor(shape) }, "train", {
    dataset,
    transforms: [],
  });
  const order = { seed: 0, epoch: 0, shuffle: false };
  const read: unknown[] = [];
  for await (const { images, targets, count } of loadBatches(dataset, {
    batch: 2,
    shape,
    transforms: [],
    staging,
    ...order,
  })) {
    read.push([count, [...(images as Float32Array)], [...(targets as unknown as Float32Array)]]);
  }
  expect(read).toEqual([
    [2, [1, 2, 3, 4], [7, -1.5, -0.25, 2000]],
    [1, [5, 6], [9, 8]],
  ]);
});

test.each(["first", "last"] as const)("are read from the %s column", async (label) => {
  const dataset = await open("-1,2,-3.5\n", label, 1);
  const example = await dataset.get(0);
  expect([...example!.numbers!]).toEqual([label === "first" ? -1 : -3.5]);
  expect([...example!.image.pixels]).toEqual(label === "first" ? [2, -3.5] : [-1, 2]);
});

test.each([
  ["a,b,y\n1,2,\n", ':2: expected a number for a target, but got "" in the column y'],
  [
    "a,b,y\n1,2,3\n1,2,cheap\n",
    ':3: expected a number for a target, but got "cheap" in the column y',
  ],
  ["a,b,y\n1,two,3\n", ':2: expected a number for a feature, but got "two" in the column b'],
  ["a,b,y\n1,2,1e39\n", ":2: 1e39 in the column y is beyond the range of f32"],
  ["a,b,z\n1,2,3\n", "has no column y for `label`"],
])("%j is refused", async (text, message) => {
  await expect(open(text, { column: "y" }, 1)).rejects.toThrow(message);
});
