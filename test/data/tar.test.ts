import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { Header, Pax } from "tar";
import { expect, test } from "vitest";
import type { Dataset } from "../../runtime/data/dataset.js";
import { withHoldout } from "../../runtime/data/holdout.js";
import { openTar } from "../../runtime/node/data/tar.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();
const OPTIONS = { channels: 3 } as const;

const picture = (red: number) =>
  sharp({ create: { width: 3, height: 2, channels: 3, background: { r: red, g: 0, b: 0 } } })
    .png()
    .toBuffer();

type Packed = readonly [name: string, content: string | Buffer, type?: EntryTypeName];
type EntryTypeName =
  "File" | "Directory" | "Link" | "SymbolicLink" | "FIFO" | "SparseFile" | "ContinuationFile";

/**
 * A tar file; names that do not fit a header go into a separate header, as GNU tar and Python write
 * them. The content of a link is its target.
 */
function pack(files: readonly Packed[]): Buffer {
  const blocks = files.flatMap(([name, content, type = "File"]) => {
    const isLink = type.endsWith("Link");
    const bytes = Buffer.from(isLink ? "" : content);
    const long = name.length > 99 ? [new Pax({ path: name }).encode()] : [];
    const header = new Header({
      path: name.slice(0, 99),
      size: bytes.length,
      type,
      mode: 0o644,
      linkpath: isLink ? String(content) : undefined,
    });
    header.encode();
    return [...long, header.block!, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function shard(name: string, files: Parameters<typeof pack>[0]): Promise<string> {
  const path = join(root, name);
  await writeFile(path, pack(files));
  return path;
}

test("shards are read in the order of their names, examples by key, in any order", async () => {
  const long = `folder/${"x".repeat(120)}`;
  await shard("train-001.tar", [
    [`${long}.png`, await picture(30)],
    [`${long}.cls`, "2\n"],
  ]);
  await shard("train-000.tar", [
    ["a/1.cls", "0"],
    ["a/1.seg.png", await picture(99)],
    ["a/1.png", await picture(10)],
    ["b/1.png", await picture(20)],
    ["b/1.json", '{"label": 1}'],
    ["readme", "no example"],
  ]);
  for (const pattern of ["train-{000..001}.tar", "train-*.tar", "train-00?.tar"]) {
    const dataset = await openTar(join(root, pattern), OPTIONS);
    expect(dataset.length).toBe(3);
    expect(dataset.classes).toEqual(["0", "1", "2"]);
    const examples = await Promise.all([2, 0, 1].map((index) => dataset.get(index)));
    expect(examples.map((example) => example!.label)).toEqual([2, 0, 1]);
    expect(examples.map((example) => example!.image.pixels[0])).toEqual([30, 10, 20]);
  }
});

test("labels may be names, which follow those of training", async () => {
  const path = await shard("named.tar", [
    ["1.jpg", await picture(1)],
    ["1.cls", "dog"],
    ["2.jpg", await picture(2)],
    ["2.cls", "cat"],
  ]);
  const own = await openTar(path, OPTIONS);
  expect(own.classes).toEqual(["cat", "dog"]);
  const classes = ["ant", "cat", "dog"];
  const dataset = await openTar(path, { ...OPTIONS, classes });
  expect((await dataset.get(0))!.label).toBe(2);
  await expect(openTar(path, { ...OPTIONS, classes: ["cat"] })).rejects.toThrow(
    /has a class that training does not have: dog/,
  );
});

test("an image that does not decode is named with its shard", async () => {
  const path = await shard("broken.tar", [
    ["1.png", (await picture(1)).subarray(0, 40)],
    ["1.cls", "0"],
    ["2.png", await picture(2)],
    ["2.cls", "0"],
  ]);
  const skipped: string[] = [];
  const dataset = await openTar(path, { ...OPTIONS, onSkip: ({ file }) => skipped.push(file) });
  expect(await dataset.get(0)).toBeUndefined();
  expect((await dataset.get(1))!.image.pixels[0]).toBe(2);
  expect(skipped).toEqual([`${path}: 1.png`]);
});

test("what is wrong with a shard is said by its name", async () => {
  await expect(openTar(join(root, "no-*.tar"), OPTIONS)).rejects.toThrow(/no file matches .*no-/);
  const unlabeled = await shard("unlabeled.tar", [["7.png", await picture(1)]]);
  await expect(openTar(unlabeled, OPTIONS)).rejects.toThrow(/unlabeled\.tar has no label for 7/);
  const empty = await shard("empty.tar", [["notes.txt", "x"]]);
  await expect(openTar(empty, OPTIONS)).rejects.toThrow(/empty\.tar holds no images/);
  const whole = pack([["1.png", await picture(1)]]);
  const write = async (name: string, bytes: Buffer) => {
    await writeFile(join(root, name), bytes);
    return openTar(join(root, name), OPTIONS);
  };
  await expect(write("cut.tar", whole.subarray(0, 520))).rejects.toThrow(
    /ends in the middle of 1\.png/,
  );
  await expect(write("packed.tar", gzipSync(whole))).rejects.toMatchObject({
    message: expect.stringMatching(/is compressed/),
    hint: expect.stringMatching(/gunzip packed\.tar/),
  });
  await expect(write("text.tar", Buffer.alloc(2048, "text"))).rejects.toThrow(
    /not a tar file, or is damaged/,
  );
});

test("a header with invalid numbers is a damaged file's", async () => {
  const path = await shard("damaged.tar", [["1.png", await picture(1)]]);
  const bytes = await readFile(path);
  bytes.fill(0xe5, 100, 160);
  await writeFile(path, bytes);
  await expect(openTar(path, OPTIONS)).rejects.toThrow("is not a tar file, or is damaged");
});

test("links are the files that they lead to", async () => {
  const path = await shard("links.tar", [
    ["a/1.png", await picture(7)],
    ["a/1.cls", "1"],
    ["b/2.png", "a/1.png", "Link"],
    ["b/2.cls", "../a/1.cls", "SymbolicLink"],
    ["b/3.png", "./2.png", "SymbolicLink"],
    ["b/3.cls", "0"],
    ["b/4.png", "../../elsewhere.png", "SymbolicLink"],
    ["b/4.cls", "0"],
    ["b/5.png", "b/5.png", "Link"],
  ]);
  const notices: string[] = [];
  const dataset = await openTar(path, { ...OPTIONS, onNotice: (said) => notices.push(said) });
  const examples = await Promise.all([0, 1, 2].map((index) => dataset.get(index)));
  expect(examples.map((each) => [each!.image.pixels[0], each!.label])).toEqual([
    [7, 1],
    [7, 1],
    [7, 0],
  ]);
  expect(dataset.length).toBe(3);
  expect(notices).toEqual([
    `${path}: 3 files are not used: 2 linked to no file of the archive (b/4.png, for instance), ` +
      "1 without an image of its name (b/4.cls)",
  ]);
});

test("files that are not used are counted by reason, and said once", async () => {
  const path = await shard("mixed.tar", [
    [".DS_Store", "x"],
    ["._1.png", "x"],
    ["readme", "x"],
    ["1.png", await picture(1)],
    ["1.cls", "0"],
    ["1.txt", "a caption"],
    ["2.txt", "a caption"],
    ["pipe.png", "", "FIFO"],
    ["folder/", "", "Directory"],
  ]);
  const notices: string[] = [];
  await openTar(path, { ...OPTIONS, onNotice: (said) => notices.push(said) });
  expect(notices).toEqual([
    `${path}: 6 files are not used: 2 hidden (.DS_Store, for instance), ` +
      "1 neither the image nor the label of an example (1.txt), " +
      "1 of a special type (pipe.png), 1 without an ending (readme), " +
      "1 without an image of its name (2.txt)",
  ]);
});

test.each<[string, Packed[], RegExp]>([
  ["sparse", [["1.png", "x", "SparseFile"]], /sparse\.tar holds 1\.png as a sparse file/],
  ["volumes", [["1.png", "x", "ContinuationFile"]], /volumes\.tar is a part of an archive in sev/],
  ["twice", Array(2).fill(["1.cls", "0"]) as Packed[], /twice\.tar holds 1\.cls twice/],
  ["again", ["1.cls", "2.cls", "./1.cls"].map((name) => [name, "0"]), /holds \.\/1\.cls twice/],
])("an archive is refused for what it holds: %s", async (name, files, message) => {
  await expect(openTar(await shard(`${name}.tar`, files), OPTIONS)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/pack the archive again/),
  });
});

test("an extended header that is damaged, or names a sparse file, is refused", async () => {
  const name = "x".repeat(120);
  const path = await shard("pax.tar", [[`${name}.png`, await picture(1)]]);
  const bytes = await readFile(path);
  const at = bytes.indexOf(" path=");
  bytes[at - 1] = "9".charCodeAt(0);
  await writeFile(path, bytes);
  await expect(openTar(path, OPTIONS)).rejects.toThrow(
    "damaged: there is no valid header at byte 0",
  );
  bytes.write("22 GNU.sparse.major=1\n", 512);
  bytes.fill(0, 512 + 22, 1024);
  const header = new Header({ path: "PaxHeader", size: 22, type: "ExtendedHeader", mode: 0o644 });
  header.encode();
  await writeFile(path, Buffer.concat([header.block!, bytes.subarray(512)]));
  await expect(openTar(path, OPTIONS)).rejects.toThrow(/as a sparse file/);
});

test("a shard that is truncated anywhere is refused, unless it has all of its files", async () => {
  const files: Packed[] = [
    ["1.png", await picture(1)],
    ["1.cls", "0"],
    ["2.png", await picture(2)],
    ["2.cls", "1"],
  ];
  const whole = pack(files);
  const content = whole.length - 1024;
  const path = join(root, "cut-anywhere.tar");
  const lengths: (number | undefined)[] = [];
  for (let end = 0; end < whole.length; end += 61) {
    await writeFile(path, whole.subarray(0, end));
    const opened = await openTar(path, OPTIONS).catch((error: Error) => {
      expect(error.name).toBe("DataError");
      return undefined;
    });
    lengths.push(opened?.length);
    expect(opened?.length).toBe(end > content ? 2 : undefined);
  }
  expect(lengths.filter((length) => length !== undefined).length).toBeGreaterThan(10);
});

test.each(["", " ", "-1"])("the label %j is refused", async (label) => {
  const path = await shard("unlabeled.tar", [
    ["1.png", await picture(1)],
    ["1.cls", "0"],
    ["2.png", await picture(1)],
    ["2.cls", label],
  ]);
  await expect(openTar(path, OPTIONS)).rejects.toThrow(`${path}: 2.png: the label is `);
});

test("a shard that vanishes is named, and its images are not counted as broken", async () => {
  const path = await shard("vanishing.tar", [
    ["1.png", await picture(1)],
    ["1.cls", "0"],
  ]);
  const dataset = await openTar(path, OPTIONS);
  await rm(path);
  await expect(dataset.get(0)).rejects.toThrow(`the file ${path} does not exist any more`);
  expect(dataset.unreadable!()).toBe(0);
});

test("groups are found in the names of files", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `p${at % 5}_${at}`);
  const files = await Promise.all(
    names.map(async (name, at): Promise<readonly Packed[]> => [
      [`${name}.png`, await picture(at)],
      [`${name}.cls`, String(at & 1)],
    ]),
  );
  const path = await shard("patients.tar", files.flat());
  const dataset = await openTar(path, OPTIONS);
  const hold = (takes: "holdout" | "rest") =>
    withHoldout(dataset, { share: 0.2, takes, by: ": (p[0-9])_" });
  const patientAt = (split: Dataset, at: number) => /: (p\d)_/.exec(split.nameAt!(at))![1];
  const patientsOf = (split: Dataset) =>
    new Set(Array.from({ length: split.length }, (_, at) => patientAt(split, at)));
  const [held, rest] = [patientsOf(hold("holdout")), patientsOf(hold("rest"))];
  expect([held.size, rest.size]).toEqual([1, 4]);
  expect(rest.has([...held][0])).toBe(false);
});
