import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Holdout } from "../../program/recipe.js";
import { withHoldout } from "../../runtime/data/holdout.js";
import { openCifar10 } from "../../runtime/node/data/cifar10.js";
import { openCsv } from "../../runtime/node/data/csv.js";
import { openIdx } from "../../runtime/node/data/idx.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const GRAY_2X2 = { channels: 1, height: 2, width: 2 } as const;

async function writeCsv(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

async function openText(
  name: string,
  text: string,
  { label = "last", maximum = 255 }: { label?: "first" | "last"; maximum?: number } = {},
) {
  const path = await writeCsv(name, text);
  return openCsv({ kind: "csv", path, label, maximum }, GRAY_2X2);
}

test("csv reads pixels and labels, gzipped or not, with a header or without", async () => {
  const rows = "1,2,3,4,0\n5,6,7,8,2\n";
  for (const [name, text] of [
    ["plain.csv", rows],
    ["header.csv", `a,b,c,d,label\n${rows}`],
    ["windows.csv", "\ufeff" + rows.replaceAll("\n", "\r\n") + "\r\n"],
    ["semicolons.csv", rows.replaceAll(",", ";")],
    ["packed.csv.gz", rows],
  ] as const) {
    const dataset = await openText(name, text);
    expect(dataset.classes).toEqual(["0", "1", "2"]);
    expect(dataset.length).toBe(2);
    const { image, label } = (await dataset.get(1))!;
    expect(label).toBe(2);
    expect(image).toMatchObject({ width: 2, height: 2, channels: 1, maximum: 255 });
    expect([...image.pixels]).toEqual([5, 6, 7, 8]);
  }
});

test("csv takes labels from the first column, and names as labels", async () => {
  const dataset = await openText("names.csv", 'tea,1,2,3,4\n"cup",5,6,7,8\n', { label: "first" });
  expect(dataset.classes).toEqual(["cup", "tea"]);
  expect((await dataset.get(0))!.label).toBe(1);
});

test("csv's names of classes follow those of training", async () => {
  const path = await writeCsv("eval.csv", "1,2,3,4,dog\n5,6,7,8,cat\n");
  const source = { kind: "csv", path, label: "last", maximum: 255 } as const;
  const dataset = await openCsv(source, GRAY_2X2, { classes: ["ant", "cat", "dog"] });
  expect(dataset.classes).toEqual(["ant", "cat", "dog"]);
  expect([(await dataset.get(0))!.label, (await dataset.get(1))!.label]).toEqual([2, 1]);
  await expect(openCsv(source, GRAY_2X2, { classes: ["cat"] })).rejects.toThrow(
    /a class that training does not have: dog/,
  );
});

test("csv keeps fractions, and takes colors in the order channels, rows, columns", async () => {
  const fractions = await openText("fractions.csv", "0.5,0.25,1,0,1\n", { maximum: 1 });
  expect([...(await fractions.get(0))!.image.pixels]).toEqual([0.5, 0.25, 1, 0]);
  const path = await writeCsv("color.csv", `${[...Array(12).keys()].join()},0\n`);
  const color = await openCsv(
    { kind: "csv", path, label: "last", maximum: 255 },
    { channels: 3, height: 2, width: 2 },
  );
  expect([...(await color.get(0))!.image.pixels]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
});

test.each([
  ["numbers all columns, as pandas does without names", "0,1,2,3,4\n1,2,3,4,1\n"],
  ["numbers the pixels from 1, and names the label", "1,2,3,4,label\n1,2,3,4,1\n"],
  ["names the label in its own way above numbers", "0,1,2,3,digit\n1,2,3,4,1\n"],
  ["names the label, and has other numbers", "7,9,5,8,target\n1,2,3,4,1\n"],
])("a csv header that %s is not an example, and a note says so", async (_, text) => {
  const notices: string[] = [];
  const path = await writeCsv("numbered.csv", text);
  const source = { kind: "csv", path, label: "last", maximum: 255 } as const;
  const onNotice = (notice: string) => notices.push(notice);
  const dataset = await openCsv(source, GRAY_2X2, { onNotice });
  expect([dataset.length, dataset.classes]).toEqual([1, ["0", "1"]]);
  expect([...(await dataset.get(0))!.image.pixels]).toEqual([1, 2, 3, 4]);
  expect(notices).toEqual([expect.stringMatching(/numbered\.csv:1: .* read as a header/)]);
});

test("a csv row that counts up, but for its label, is an example", async () => {
  expect((await openText("counting.csv", "0,1,2,3,0\n4,5,6,7,1\n")).length).toBe(2);
  expect((await openText("named.csv", "0,1,2,3,cat\n4,5,6,7,dog\n")).length).toBe(2);
});

test("csv reads quoted cells, with separators and quotes in them", async () => {
  const rows = '"1", "2",3,4,"tea, ""green"""\n5,6,7,8,"cup"\n';
  const dataset = await openText("quoted.csv", rows);
  expect(dataset.classes).toEqual(["cup", 'tea, "green"']);
  const tabs = await openText("tabs.csv", '"1"\t"2"\t3\t4\t"a\tb"\n');
  expect(tabs.classes).toEqual(["a\tb"]);
});

test("csv labels follow the rule of all sources, with the line", async () => {
  await expect(openText("none.csv", "1,2,3,4,0\n\n1,2,3,4,-1\n")).rejects.toThrow(
    /none\.csv:3: the label is -1/,
  );
  const floats = await openText("floats.csv", "1,2,3,4,11.0\n1,2,3,4,2.0\n");
  expect((await floats.get(0))!.label).toBe(11);
});

test("csv holds out the same rows on each reading, and never shares them", async () => {
  const text = Array.from({ length: 50 }, (_, row) => `${row},0,0,0,1\n`).join("");
  const read = async (takes: Holdout["takes"]) => {
    const all = await openText("split.csv", text);
    const dataset = withHoldout(all, { share: 0.2, takes });
    const examples = await Promise.all(
      [...Array(dataset.length).keys()].map((i) => dataset.get(i)),
    );
    return examples.map((example) => example!.image.pixels[0]!);
  };
  const [held, rest] = [await read("holdout"), await read("rest")];
  expect(held.length).toBe(10);
  expect(rest.length).toBe(40);
  expect(new Set([...held, ...rest]).size).toBe(50);
  expect(await read("holdout")).toEqual(held);
  expect(held).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a holdout takes the same share of each class, and leaves one to train on", async () => {
  const counts = [50, 20, 3, 1];
  const text = counts.flatMap((count, label) => Array<string>(count).fill(`0,0,0,0,${label}\n`));
  const read = async (takes: Holdout["takes"]) => {
    const dataset = withHoldout(await openText("classes.csv", text.join("")), {
      share: 0.2,
      takes,
    });
    const labels = [...Array(dataset.length).keys()].map((index) => dataset.labelAt!(index));
    return counts.map((_, label) => labels.filter((each) => each === label).length);
  };
  expect(await read("holdout")).toEqual([10, 4, 1, 0]);
  expect(await read("rest")).toEqual([40, 16, 2, 1]);
});

test("a holdout of examples that each have another class is refused", async () => {
  const all = await openText("single.csv", "0,0,0,0,0\n0,0,0,0,1\n0,0,0,0,2\n");
  expect(() => withHoldout(all, { share: 0.4, takes: "holdout" })).toThrow(/leaves none of the 3/);
});

test.each([
  ["short row", "1,2,3,4,0\n\n1,2,3,0\n", /mistake\.csv:3: this row has 4 cells, .* have 5/],
  ["text for a pixel", "1,2,3,4,0\n1,x,3,4,0\n", /:2: expected a number for a pixel, but got "x"/],
  ["empty pixel", "1,2,3,4,0\n1,,3,4,0\n", /:2: expected a number for a pixel, but got ""/],
  ["pixel too large", "1,2,3,400,0\n", /:1: the pixel value 400 is outside 0 to 255/],
  ["label missing", "1,2,3,4,\n", /:1: the label, in the last column, is empty/],
  ["no rows", "a,b,c,d,label\n", /has no rows/],
  [
    "label elsewhere",
    "label,b,c,d,e\n1,2,3,4,5\n",
    /column 1 of 5 is named `label`.* the last column/,
  ],
  ["no image", "1,2,3,4,5,0\n", /5 pixels a row/],
  ["row numbers", ",a,b,c,d,label\n0,1,2,3,4,0\n", /:1: the first column is "": it numbers the r/],
  ["row numbers read again", "Unnamed: 0,0,1,2,3\n0,1,2,3,4\n", /the first column is "Unnamed: 0"/],
  ["row numbers without a name", "a,b,c,d,label\n0,1,2,3,4,0\n", /:2: .* 6 cells, .* header has 5/],
  ["two columns of one name", "a,b,b,d,label\n1,2,3,4,0\n", /:1: two columns are named "b"/],
  ["two labels", "class,a,b,c,d,label\n1,2,3,4,5,0\n", /column 1 of 6 is named `class`/],
  ["a quote left open", '1,2,3,4,0\n1,2,3,4,"tea\n', /:2: a quote does not enclose a whole cell/],
  ["hexadecimal numbers", "1,2,3,4,0\n1,2,0x10,4,0\n", /:2: expected a number .* got "0x10"/],
])("csv with a %s is an error with its line", async (_, text, message) => {
  await expect(openText("mistake.csv", text)).rejects.toMatchObject({
    name: "DataError",
    message: expect.stringMatching(message),
  });
});

test("csv names a file that is missing, a directory, and a damaged archive", async () => {
  const open = (path: string) =>
    openCsv({ kind: "csv", path, label: "last", maximum: 255 }, GRAY_2X2);
  await expect(open(join(root, "no.csv"))).rejects.toThrow(/there is no file .*no\.csv/);
  await expect(open(root)).rejects.toThrow(/is a directory, not a file/);
  const cut = join(root, "cut.csv.gz");
  await writeFile(cut, gzipSync("1,2,3,4,0\n".repeat(100)).subarray(0, 30));
  await expect(open(cut)).rejects.toThrow(/cut\.csv\.gz is damaged/);
});

test("csv in UTF-16 is refused as such", async () => {
  const path = join(root, "wide.csv");
  await writeFile(path, Buffer.from("\ufeff1,2,3,4,0\n", "utf16le"));
  const source = { kind: "csv", path, label: "last", maximum: 255 } as const;
  await expect(openCsv(source, GRAY_2X2)).rejects.toThrow(/wide\.csv is UTF-16/);
});

// CIFAR-10

function cifarRecords(labels: readonly number[]): Uint8Array {
  return Buffer.concat(
    labels.map((label) => {
      const planes = new Uint8Array(3072).map((_, index) => (index < 1024 ? label : index >> 10));
      return Buffer.concat([Uint8Array.of(label), planes]);
    }),
  );
}

async function makeCifar(name: string, files: Record<string, Uint8Array>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(directory, file), bytes);
  return directory;
}

test("cifar10 reads the five batches to train and the test batch to evaluate", async () => {
  const numbers = [1, 2, 3, 4, 5];
  const files = numbers.map((n) => [`data_batch_${n}.bin`, cifarRecords([n, 0])] as const);
  const directory = await makeCifar("cifar", {
    ...Object.fromEntries(files),
    "test_batch.bin": cifarRecords([9]),
  });
  const train = await openCifar10(directory, { split: "train", channels: 3 });
  expect(train.length).toBe(10);
  const { image, label } = (await train.get(4))!;
  expect(label).toBe(3);
  expect([...image.pixels.subarray(0, 6)]).toEqual([3, 1, 2, 3, 1, 2]);
  const evaluation = await openCifar10(directory, { split: "eval", channels: 3 });
  expect(evaluation.length).toBe(1);
  expect(evaluation.classes[(await evaluation.get(0))!.label]).toBe("truck");
});

test("cifar10 names what is missing or wrong", async () => {
  const directory = await makeCifar("cifar-wrong", {
    "test_batch.bin": cifarRecords([1]).subarray(1),
  });
  const open = (split: "train" | "eval") => openCifar10(directory, { split, channels: 3 });
  const notices: string[] = [];
  await makeCifar("cifar-few", { "test_batch.bin": cifarRecords([1, 2]) });
  await openCifar10(join(root, "cifar-few"), {
    split: "eval",
    channels: 3,
    onNotice: (notice) => notices.push(notice),
  });
  expect(notices).toEqual([expect.stringMatching(/holds 2 images for eval, where .* has 10000/)]);
  await expect(open("train")).rejects.toThrow(/has no data_batch_1\.bin/);
  await expect(open("eval")).rejects.toThrow(/3073-byte CIFAR-10 records: it has 3072 bytes/);
  await makeCifar("cifar-wrong", { "test_batch.bin": cifarRecords([10]) });
  await expect(open("eval")).rejects.toThrow(/record 0 has the label 10/);
});

// MNIST

function idx(magic: number, sizes: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [magic, ...sizes].forEach((word, index) => header.writeUInt32BE(word, 4 * index));
  return Buffer.concat([header, Uint8Array.from(values)]);
}

test("idx reads MNIST's files, gzipped or not", async () => {
  const directory = await makeCifar("mnist", {
    "train-images-idx3-ubyte": idx(0x803, [2, 1, 3], [1, 2, 3, 4, 5, 6]),
    "train-labels-idx1-ubyte": idx(0x801, [2], [7, 1]),
    "t10k-images-idx3-ubyte.gz": gzipSync(idx(0x803, [1, 1, 3], [9, 9, 9])),
    "t10k-labels.idx1-ubyte": idx(0x801, [1], [0]),
  });
  const train = await openIdx(directory, { split: "train", channels: 1 });
  expect(train.classes.length).toBe(8);
  const { image, label } = (await train.get(1))!;
  expect(label).toBe(1);
  expect(image).toMatchObject({ width: 3, height: 1, channels: 1 });
  expect([...image.pixels]).toEqual([4, 5, 6]);
  expect((await openIdx(directory, { split: "eval", channels: 3 })).length).toBe(1);
});

test("idx names what is missing or wrong", async () => {
  const files = {
    "train-images-idx3-ubyte": idx(0x803, [2, 1, 3], [1, 2, 3, 4, 5]),
    "t10k-images-idx3-ubyte": idx(0x803, [1, 1, 1], [1]),
    "t10k-labels-idx1-ubyte": idx(0x801, [2], [1, 2]),
  };
  const directory = await makeCifar("mnist-wrong", files);
  const open = (split: "train" | "eval") => openIdx(directory, { split, channels: 1 });
  await expect(open("train")).rejects.toThrow(/declares 2x1x3 bytes after its header, but has 5/);
  await expect(open("eval")).rejects.toThrow(/has 1 images, but .* has 2 labels/);
  await makeCifar("mnist-wrong", { "t10k-images-idx3-ubyte": idx(0x802, [1, 1], [1]) });
  await expect(open("eval")).rejects.toThrow(/is not an IDX file of bytes in 3 dimensions/);
  await expect(openIdx(root, { split: "eval", channels: 1 })).rejects.toThrow(
    /no t10k-images-idx3/,
  );
});
