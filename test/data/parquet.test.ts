import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata, type SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import sharp from "sharp";
import { expect, test } from "vitest";
import { openParquet } from "../../runtime/node/data/parquet.js";
import { ParquetFile } from "../../runtime/node/data/parquet-file.js";
import { ParquetRows } from "../../runtime/node/data/parquet-rows.js";
import { parquets } from "../../scripts/fuzz/data/samples.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const OPTIONS = { channels: 3 } as const;
const COLUMNS = { image: "image", label: "label" };

const picture = (red: number) =>
  sharp({ create: { width: 3, height: 2, channels: 3, background: { r: red, g: 0, b: 0 } } })
    .png()
    .toBuffer();

const pictures = await Promise.all(Array.from({ length: 12 }, (_, red) => picture(red)));

const GROUP: SchemaElement[] = [
  { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
  { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
];
const PLAIN: SchemaElement = { name: "image", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" };
const NUMBERS: SchemaElement = { name: "label", type: "INT64", repetition_type: "OPTIONAL" };
const text: SchemaElement = { ...NUMBERS, type: "BYTE_ARRAY", converted_type: "UTF8" };

interface Content {
  readonly images: readonly unknown[];
  readonly labels: readonly unknown[];
  readonly image?: readonly SchemaElement[];
  readonly label?: SchemaElement;
  readonly classes?: readonly string[];
}

/** A file with two columns, whose rows come in groups of four. */
async function write(name: string, content: Content): Promise<string> {
  const { images, labels, image = GROUP, label = NUMBERS, classes } = content;
  const features = { label: { names: classes, _type: "ClassLabel" } };
  const note = { key: "huggingface", value: JSON.stringify({ info: { features } }) };
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: image[0]!.name, data: [...images] },
      { name: "label", data: [...labels] },
    ],
    schema: [{ name: "root", num_children: 2 }, ...image, label],
    rowGroupSize: 4,
    pageSize: 64,
    kvMetadata: classes ? [note] : undefined,
  });
  const path = join(root, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, Buffer.from(bytes));
  return path;
}

const grouped = (from: number, end: number) =>
  pictures.slice(from, end).map((bytes, index) => ({ bytes, path: `${index}.png` }));

await write("shards/train-00001.parquet", {
  images: grouped(6, 12),
  labels: [0n, 1n, 2n, 0n, 1n, 2n],
  classes: ["owl", "cat", "dog"],
});
await write("shards/train-00000.parquet", {
  images: grouped(0, 6),
  labels: [2n, 1n, 0n, 2n, 1n, 0n],
  classes: ["owl", "cat", "dog"],
});

const labeled = { images: pictures.slice(0, 2), image: [PLAIN] };

test("the rows of a folder's files, in any order, with the files' class names", async () => {
  for (const path of ["shards", "shards/train-{00000..00001}.parquet"]) {
    const dataset = await openParquet({ path: join(root, path), ...COLUMNS }, OPTIONS);
    expect(dataset.classes).toEqual(["owl", "cat", "dog"]);
    const order = [11, 3, 0, 6, 7, 5, 1];
    const examples = await Promise.all(order.map((index) => dataset.get(index)));
    expect(examples.map((example) => example!.image.pixels[0])).toEqual(order);
    expect(examples.map((example) => example!.label)).toEqual([2, 2, 2, 0, 1, 0, 1]);
  }
});

test("labels follow the classes of training; text is numbered in its order", async () => {
  const shards = { path: join(root, "shards"), ...COLUMNS };
  const trained = await openParquet(shards, { ...OPTIONS, classes: ["cat", "cow", "dog", "owl"] });
  expect((await trained.get(0))!.label).toBe(2);
  await expect(openParquet(shards, { ...OPTIONS, classes: ["cat", "dog"] })).rejects.toThrow(
    /has a class that training does not have: owl/,
  );
  const path = await write("text.parquet", { ...labeled, labels: ["dog", "cat"], label: text });
  const named = await openParquet({ path, ...COLUMNS }, OPTIONS);
  expect(named.classes).toEqual(["cat", "dog"]);
  expect((await named.get(0))!.label).toBe(1);
  const bare = await write("bare.parquet", { ...labeled, labels: [0n, 2n] });
  expect((await openParquet({ path: bare, ...COLUMNS }, OPTIONS)).classes).toEqual(["0", "1", "2"]);
});

test("rows without an image, or with one that does not decode, are left out by name", async () => {
  const path = await write("holes.parquet", {
    images: [...grouped(0, 2), null, { bytes: pictures[3]!.subarray(0, 40), path: "" }],
    labels: [0n, 0n, 0n, 0n],
  });
  const skipped: string[] = [];
  const onSkip = ({ file, reason }: { file: string; reason: string }) =>
    skipped.push(`${file}: ${reason}`);
  const dataset = await openParquet({ path, ...COLUMNS }, { ...OPTIONS, onSkip });
  const found = [0, 1, 2, 3].map(async (index) => (await dataset.get(index))?.image.pixels[0]);
  expect(await Promise.all(found)).toEqual([0, 1, undefined, undefined]);
  expect(skipped).toEqual([
    `${path}: row 2: it holds no image`,
    expect.stringMatching(/row 3: it is (damaged|truncated)/),
  ]);
});

test("memory holds the rows read last; rows asked for together are read once", async () => {
  const file = await ParquetFile.open(join(root, "shards/train-00000.parquet"));
  const spans: string[] = [];
  const counting = Object.assign(Object.create(file) as ParquetFile, {
    readRows(leaf: readonly string[], span: { start: number; end: number }) {
      spans.push(`${span.start}-${span.end}`);
      return file.readRows(leaf, span);
    },
  });
  const bytesOf = (value: unknown) => (value as { bytes: Uint8Array }).bytes;
  const column = { leaf: ["image", "bytes"], bytesOf };
  const rows = new ParquetRows(column, 2 * Math.max(...pictures.map(({ length }) => length)));
  const read = async (row: number) => {
    const bytes = await rows.read(counting, row);
    expect(Buffer.compare(bytes!, pictures[row]!)).toBe(0);
    expect(bytes!.buffer.byteLength).toBe(bytes!.length);
  };
  await Promise.all([0, 0].map(read));
  await Promise.all([5, 5].map(read));
  expect(spans).toEqual(["0-1", "5-6"]);
  // Row 5 has been used last: row 0 makes place for row 2.
  for (const row of [0, 5, 2, 5, 0]) await read(row);
  expect(spans).toEqual(["0-1", "5-6", "2-3", "0-1"]);
});

test.each([
  [{ path: "none-*.parquet" }, /no file matches .*none-/],
  [
    { path: "shards", image: "img" },
    /train-00000\.parquet has no column img/,
    /image \(groups of bytes and path\), label \(whole numbers\); parquet\(\.{3}, image="NAME"\)/,
  ],
  [{ path: "shards", label: "class" }, /has no column class/, /label="NAME"/],
  [{ path: "shards", image: "label" }, /column label of .* holds whole numbers, but images are/],
  [{ path: "shards", label: "image" }, /column image of .* holds groups of bytes and path, but/],
])("what is asked of a file that has other columns: %o", async (source, message, hint = /./) => {
  const path = join(root, source.path);
  await expect(openParquet({ ...COLUMNS, ...source, path }, OPTIONS)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
});

test.each<[string, Content, RegExp]>([
  ["null", { ...labeled, labels: [0n, null] }, /row 1 has no label/],
  [
    "unlabeled",
    { ...labeled, labels: [-1n, -1n] },
    /row 0: the label is -1, which means "no label"/,
  ],
  [
    "beyond",
    { ...labeled, labels: [0n, 3n], classes: ["a", "b"] },
    /row 1: the label is 3, but the file names 2 classes: 0 to 1/,
  ],
  ["paths", { ...labeled, image: [{ ...text, name: "image" }], labels: [0n, 0n] }, /holds text/],
  [
    "floats",
    { ...labeled, labels: [0.5, 1], label: { ...NUMBERS, type: "DOUBLE" } },
    /column label of .* holds numbers, but labels are whole numbers or text/,
  ],
  ["empty", { images: [], image: [PLAIN], labels: [] }, /empty\.parquet has no rows/],
])("what is wrong in a file is said: %s", async (name, content, message) => {
  const images = name === "paths" ? ["a.png", "b.png"] : content.images;
  const path = await write(`${name}.parquet`, { ...content, images });
  await expect(openParquet({ path, ...COLUMNS }, OPTIONS)).rejects.toThrow(message);
});

test("files that are damaged, truncated or gone, and files of two datasets", async () => {
  const content = { ...labeled, labels: [0n, 1n] };
  const source = { path: await write("damaged/1.parquet", content), ...COLUMNS };
  const dataset = await openParquet(source, OPTIONS);
  await writeFile(source.path, Buffer.alloc(400, 0xff));
  await expect(dataset.get(0)).rejects.toThrow(/1\.parquet is damaged in (rows|its index)/);
  await truncate(source.path, 30);
  await expect(openParquet(source, OPTIONS)).rejects.toMatchObject({
    message: expect.stringMatching(/is not a Parquet file, or is truncated/),
    hint: "download or write it again",
  });
  const gone = { ...source, path: await write("gone.parquet", content) };
  const vanishing = await openParquet(gone, OPTIONS);
  await rm(gone.path);
  await expect(vanishing.get(1)).rejects.toThrow(/there is no file .*gone\.parquet/);
  await write("mixed/1.parquet", { ...content, classes: ["a", "b"] });
  await write("mixed/2.parquet", { ...content, classes: ["b", "a"] });
  const mixed = { path: join(root, "mixed"), ...COLUMNS };
  await expect(openParquet(mixed, OPTIONS)).rejects.toThrow(/name the classes differently/);
});

test("a run of 8191 values in a column of labels is refused before it is decoded", async () => {
  const samples = await parquets();
  const bytes = samples.at(-1)!;
  const path = join(root, "run.parquet");
  await writeFile(path, bytes);
  const metadata = parquetMetadata(bytes);
  const refused: unknown[] = [];
  for (const { columns } of metadata.row_groups) {
    const { dictionary_page_offset, data_page_offset, total_compressed_size } =
      columns[1]!.meta_data!;
    const start = Number(dictionary_page_offset ?? data_page_offset);
    for (let at = start; at < start + Number(total_compressed_size) - 1; at++) {
      const damaged = bytes.slice();
      damaged.set([0xfe, 0x7f], at);
      await writeFile(path, damaged);
      const file = await ParquetFile.open(path);
      const error = await file.readColumn("label").catch((reason: Error) => reason);
      if (error instanceof Error) refused.push(error.message);
    }
  }
  expect(refused).toContainEqual(expect.stringMatching(/a page has a run of too many values/));
});

test("a column with wrong offsets is refused, and no file stays open", async () => {
  const path = await write("lost.parquet", { images: grouped(0, 4), labels: [0n, 1n, 0n, 1n] });
  const file = await ParquetFile.open(path);
  await truncate(path, 20);
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", note);
  await expect(file.readRows(["image", "bytes"], { start: 0, end: 4 })).rejects.toThrow(
    /is damaged in rows 0 to 3 \(bytes \d+ to \d+ are asked for, and it has 20\)/,
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", note);
  expect(rejections).toEqual([]);
});

test("a file that is damaged in two columns leaves no rejection without an owner", async () => {
  const [sample] = await parquets();
  const bytes = Buffer.from(sample!);
  // The pages of `image.bytes`, and the name of `image.path` where its pages are described.
  bytes.fill(0xff, 4, 60);
  for (let at = bytes.lastIndexOf("path"); at > bytes.indexOf("path");) {
    bytes[at] = "x".charCodeAt(0);
    at = bytes.lastIndexOf("path");
  }
  const path = join(root, "two.parquet");
  await writeFile(path, bytes);
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", note);
  const file = await ParquetFile.open(path);
  await expect(file.readRows(["image", "bytes"], { start: 0, end: 4 })).rejects.toThrow(
    "is damaged in rows 0 to 3",
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", note);
  expect(rejections).toEqual([]);
});

test("a column says which rows belong together", async () => {
  const labels = Array.from({ length: 12 }, (_, row) => BigInt(row % 3));
  const images = pictures.map((bytes) => ({ bytes, path: null }));
  const path = await write("groups.parquet", { images, labels });
  const open = (by: string) =>
    openParquet({ ...COLUMNS, path, holdout: { share: 0.3, takes: "rest", by } }, OPTIONS);
  const dataset = await open("label");
  expect([0, 1, 5].map((row) => dataset.groupAt!(row))).toEqual(["0", "1", "2"]);
  await expect(open("patient")).rejects.toThrow(/groups\.parquet has no column patient/);
  await expect(open("image")).rejects.toThrow(/but groups are whole numbers or text/);
});
