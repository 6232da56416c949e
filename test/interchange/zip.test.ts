/** Zip files, as Keras, PyTorch and other tools write them, and those that none of them writes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { openPyTorch, sourceOf } from "../../interchange/pytorch/index.js";
import { readDirectory, readRecord, type ZipFile } from "../../interchange/zip/read.js";
import { readModel } from "./imported.js";
import { allocationsOf } from "./allocations.js";
import { bytesOf, dictionary, storage, tensor, zipOf } from "./pytorch-files.js";

const models = join(import.meta.dirname, "../fixtures/models");
const keras = () => readFileSync(join(models, "keras-functional", "functional.keras"));

const opened = (bytes: Uint8Array): ZipFile => ({
  source: sourceOf(bytes),
  damaged: (why) => new Error(`damaged: ${why}`),
});

function read(bytes: Uint8Array, name: string, most = 1000): Uint8Array {
  const file = opened(bytes);
  return readRecord(file, readDirectory(file).get(name)!, most);
}

/** With other bytes at the first place of a signature of the directory. */
function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  const entry = Buffer.from(copy).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  new DataView(copy.buffer).setUint32(entry + offset, value, true);
  return copy;
}

const text = new TextEncoder().encode("netc ".repeat(100));
const [stored, deflated] = [0, 9].map((level) => zipSync({ a: text }, { level: level as 0 | 9 }));

test("records are read, whether they are compressed or not", () => {
  expect(deflated!.length).toBeLessThan(200);
  for (const bytes of [stored!, deflated!, zipOf([{ name: "a", bytes: text }])]) {
    expect(read(bytes, "a")).toEqual(text);
  }
});

test.each([
  ["another checksum", () => changed(deflated!, 16, 5), "the checksum of `a` is"],
  ["a shorter size", () => changed(deflated!, 24, 400), "the checksum of `a` is"],
  ["a longer size", () => changed(deflated!, 24, 600), "`a` cannot be decompressed"],
  ["a size beyond the limit", () => changed(deflated!, 24, 2 ** 31), "would have 2147483648 bytes"],
  ["more bytes than the file has", () => changed(deflated!, 20, 9999), "records take 9999 bytes"],
  ["a place outside the file", () => changed(stored!, 42, 2 ** 30), "it refers to bytes"],
  ["a place with something else", () => changed(stored!, 42, 5), "is not where it should be"],
  ["another compression", () => changed(stored!, 10, 12), "is compressed in an unknown way"],
  ["no end", () => stored!.slice(0, -22), "its end is missing"],
])("a record with %s is refused", (_, damage, message) => {
  expect(() => read(damage(), "a")).toThrow(`damaged: `);
  expect(() => read(damage(), "a")).toThrow(message);
});

test("two records of one name are refused", () => {
  const twice = [1, 2].map((byte) => ({ name: "a\u001b", bytes: Uint8Array.of(byte) }));
  expect(() => readDirectory(opened(zipOf(twice)))).toThrow("two records `a\\u001b`");
});

test("a Keras model that was compressed again is the same model", async () => {
  const { "model.weights.h5": weights, ...described } = unzipSync(keras());
  const again = zipSync({ ...described, "model.weights.h5": [weights!, { level: 0 }] });
  expect(again.length).toBeLessThan(keras().length);
  expect(await readModel("m.keras", again)).toEqual(await readModel("m.keras", keras()));
});

test("files that become many times larger are refused before memory is taken", async () => {
  const bomb = new Uint8Array(8 * 1024 * 1024);
  const files = { ...unzipSync(keras()), "model.weights.h5": bomb };
  const bytes = zipSync(files, { level: 9 });
  const { largest } = await allocationsOf(async () => {
    await expect(readModel("m.keras", bytes)).rejects.toThrow("would have 8388608 bytes, more");
  });
  expect(largest).toBeLessThan(4 * bytes.length + 65_536);
  const pickle = zipSync({ "archive/data.pkl": bomb }, { level: 9 });
  expect(() => openPyTorch(sourceOf(pickle))).toThrow(
    "`archive/data.pkl` in this file is compressed or encrypted, as torch.save does not write it",
  );
});

test("a compressed storage of PyTorch is refused before memory is taken", async () => {
  const weight = dictionary(tensor(storage("0", 4), [4], [1]));
  const bytes = zipSync({
    "archive/data.pkl": [bytesOf(0x80, 2, weight, "."), { level: 0 }],
    "archive/data/0": [new Uint8Array(8 * 1024 * 1024), { level: 9 }],
  });
  const { read: readWeights } = openPyTorch(sourceOf(bytes));
  const { largest } = await allocationsOf(() => {
    expect(() => readWeights(["w"])).toThrow("`archive/data/0` in this file is compressed");
    return Promise.resolve();
  });
  expect(largest).toBeLessThan(4 * bytes.length + 65_536);
});
