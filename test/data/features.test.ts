import { tensorsFor } from "../tensors.js";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import fc from "fast-check";
import { chooseStaging, loadBatches } from "../../runtime/data/index.js";
import { openData } from "../../runtime/node/data/index.js";
import type { DataSource } from "../../program/recipe.js";
import type { Transform } from "../../program/transforms.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "netc-features-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Given {
  readonly features: number;
  readonly maximum?: number;
  readonly label?: "first" | "last";
  readonly transforms?: readonly Transform[];
}

/** All that comes to the network of a CSV file of features. */
async function load(text: string, given: Given) {
  const { features, maximum = 1, label = "last", transforms = [] } = given;
  await writeFile(join(folder, "a.csv"), text);
  const source: DataSource = { kind: "csv", path: "a.csv", label, holds: "features", maximum };
  const location = { line: 1, column: 1 };
  const shape = { channels: features, height: 1, width: 1 };
  const { train } = await openData(
    { name: "D", train: { source, transforms, location } },
    { shape, base: folder },
  );
  const program = { tensors: tensorsFor(shape) };
  const staging = chooseStaging(program, "train", { dataset: train!, transforms });
  const order = { seed: 0, epoch: 0, shuffle: false };
  const rows: number[] = [];
  const labels: number[] = [];
  for await (const batch of loadBatches(train!, {
    batch: 3,
    shape,
    transforms,
    staging,
    ...order,
  })) {
    rows.push(...(batch.images as Float32Array));
    labels.push(...batch.labels);
  }
  return { rows, labels, classes: train!.classes };
}

test("negative and decimal numbers come to the network as they are", async () => {
  const text = "length,width,label\n-1.5,2e3,tea\n0.25,-0,cup\n300,7,tea\n";
  const { rows, labels, classes } = await load(text, { features: 2 });
  expect(rows).toEqual([-1.5, 2000, 0.25, -0, 300, 7]);
  expect(classes).toEqual(["cup", "tea"]);
  expect(labels).toEqual([1, 0, 1]);
});

test("whole numbers are not read as bytes", async () => {
  const { rows } = await load("-1,256,0\n3,4,1\n", { features: 2 });
  expect(rows).toEqual([-1, 256, 3, 4]);
});

test("`maximum` divides, and `normalize` has a mean and a deviation for each feature", async () => {
  const { rows } = await load("1,20,0\n", { features: 2, maximum: 10 });
  expect(rows[0]).toBeCloseTo(0.1, 6);
  expect(rows[1]).toBe(2);
  const transforms = [{ kind: "normalize", mean: [1, 10], std: [2, 5] }] as const;
  const normalized = await load("1,20,0\n5,0,1\n", { features: 2, transforms });
  expect(normalized.rows).toEqual([0, 2, 2, -2]);
});

test("any table of numbers is read as it was written", async () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true });
  const table = fc.integer({ min: 1, max: 5 }).chain((features) =>
    fc.array(fc.tuple(fc.array(value, { minLength: features, maxLength: features }), fc.nat(3)), {
      minLength: 1,
      maxLength: 6,
    }),
  );
  await fc.assert(
    fc.asyncProperty(table, async (lines) => {
      const features = lines[0]![0].length;
      const names = Array.from({ length: features }, (_, index) => `f${index}`).join(",");
      const text = lines.map(([values, label]) => `${values.join(",")},${label}`).join("\n");
      const { rows, labels } = await load(`${names},label\n${text}\n`, { features });
      // A text has no sign at 0.
      const unsigned = (values: readonly number[]) => values.map((each) => each + 0);
      expect(unsigned(rows)).toEqual(unsigned(lines.flatMap(([values]) => values)));
      expect(labels).toEqual(lines.map(([, label]) => label));
    }),
    { numRuns: 50 },
  );
});

test.each([
  [
    "1,2,3,0\n",
    /a\.csv: the model's input `x` has 2 numbers, but 3 columns are left for it: 1, 2, 3/,
  ],
  ["1,two,0\n", /a\.csv:1: expected a number for a feature, but got "?two/],
  ["1,2,0\n1,1e39,0\n", /a\.csv:2: 1e39 in the column 2 is beyond the range of f32/],
  ["1,2,0\n1,,0\n", /a\.csv:2: expected a number for a feature/],
])("%j is refused", async (text, message) => {
  await expect(load(text, { features: 2 })).rejects.toThrow(message);
});

test("a decimal comma is named, with the number to write", async () => {
  await expect(load("a;b;label\n-1,5;2;0\n", { features: 2 })).rejects.toMatchObject({
    message: expect.stringContaining(':2: expected a number for a feature, but got "-1,5"'),
    hint: expect.stringContaining("numbers have a point: -1.5"),
  });
});
