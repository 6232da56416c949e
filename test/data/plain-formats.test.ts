/** BMP, PPM and PGM against what Pillow reads of the same pictures, and shared files. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Dataset } from "../../runtime/data/dataset.js";
import { decodeImage } from "../../runtime/node/data/decode.js";
import { describeShared, findSharedFiles } from "../../runtime/node/data/shared-files.js";

/** Red, green, blue; then three mixed colors. */
const PIXELS = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 70, 80, 90];

/** Written by Pillow 9.4: 24 and 32 bits a pixel, 1 bit, and PPM. */
const FILES = {
  bmp24:
    "Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABABgAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAA" +
    "HhQKPDIoWlBGAAAAAAD/AP8A/wAAAAAA",
  bmp32:
    "Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABACAAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAA" +
    "HhQK/zwyKP9aUEb/AAD//wD/AP//AAD/",
  ppm: "UDYKMyAyCjI1NQr/AAAA/wAAAP8KFB4oMjxGUFo=",
};

const decode = (base64: string, channels: 1 | 3) =>
  decodeImage(Buffer.from(base64, "base64"), channels);

test.each(Object.entries(FILES))("%s has the pixels of the picture", async (_, base64) => {
  const { width, height, pixels } = await decode(base64, 3);
  expect([width, height]).toEqual([3, 2]);
  expect([...pixels]).toEqual(PIXELS);
});

test("BMP of 1 bit, and of 8 bits with a palette", async () => {
  const oneBit =
    "Qk1GAAAAAAAAAD4AAAAoAAAAAwAAAAIAAAABAAEAAAAAAAgAAADEDgAAxA4AAAIAAAACAAAA" +
    "AAAAAP////8AAAAAQAAAAA==";
  expect([...(await decode(oneBit, 1)).pixels]).toEqual([0, 255, 0, 0, 0, 0]);
  const palette = [
    [255, 0, 0],
    [10, 20, 30],
    [0, 200, 100],
  ];
  const { pixels } = await decodeImage(paletteBmp(palette, [0, 1, 2, 2, 1, 0]), 3);
  expect([...pixels]).toEqual([0, 1, 2, 2, 1, 0].flatMap((index) => palette[index]!));
});

/** 3 x 2 pixels of 8 bits; rows from the bottom, of 4 bytes. */
function paletteBmp(palette: readonly number[][], indices: readonly number[]): Buffer {
  const offset = 54 + 4 * palette.length;
  const bytes = Buffer.alloc(offset + 8);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(offset, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(3, 18);
  bytes.writeInt32LE(2, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(8, 28);
  bytes.writeUInt32LE(palette.length, 46);
  palette.forEach(([red, green, blue], at) => bytes.set([blue!, green!, red!, 0], 54 + 4 * at));
  bytes.set([...indices.slice(3), 0, ...indices.slice(0, 3), 0], offset);
  return bytes;
}

test("PPM and PGM in text and bytes of all depths", async () => {
  const picture = fc.record({
    width: fc.integer({ min: 1, max: 5 }),
    height: fc.integer({ min: 1, max: 5 }),
    maximum: fc.constantFrom(1, 15, 255, 1000, 65_535),
    channels: fc.constantFrom(1 as const, 3 as const),
    isText: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1000 }),
  });
  await fc.assert(
    fc.asyncProperty(picture, async ({ width, height, maximum, channels, isText, seed }) => {
      const count = width * height * channels;
      const values = Array.from({ length: count }, (_, at) => (at * seed * 7919) % (maximum + 1));
      const kind = (channels === 1 ? 2 : 3) + (isText ? 0 : 3);
      const header = `P${kind}\n# a comment with 12 numbers\n${width} ${height}\n${maximum}\n`;
      const body = isText
        ? Buffer.from(values.join(" "))
        : Buffer.from(values.flatMap((each) => (maximum > 255 ? [each >> 8, each & 255] : each)));
      const { pixels } = await decodeImage(Buffer.concat([Buffer.from(header), body]), channels);
      expect([...pixels]).toEqual(values.map((each) => Math.round((255 * each) / maximum)));
    }),
    { numRuns: 60 },
  );
});

test("files that are truncated, compressed or too large are refused with the reason", async () => {
  for (const base64 of Object.values(FILES)) {
    const bytes = Buffer.from(base64, "base64");
    await expect(decodeImage(bytes.subarray(0, -4), 3)).rejects.toThrow(/truncated/);
  }
  const compressed = paletteBmp([[0, 0, 0]], [0, 0, 0, 0, 0, 0]);
  compressed.writeUInt32LE(1, 30);
  await expect(decodeImage(compressed, 3)).rejects.toThrow(/its format is not supported/);
  const huge = Buffer.from("P6 20000 20000 255\n");
  await expect(decodeImage(huge, 3)).rejects.toThrow(/400.0 megapixels/);
});

test("files with the same bytes in both splits are found, whatever their names", async () => {
  const folder = await mkdtemp(join(tmpdir(), "netc-shared-"));
  const write = async (name: string, value: number) => {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    const create = { width: 4, height: 4, channels: 3, background: { r: value, g: 0, b: 0 } };
    await writeFile(
      path,
      await sharp({ create: { ...create, channels: 3 } })
        .png()
        .toBuffer(),
    );
    return path;
  };
  const names = async (split: string, values: readonly number[]) =>
    Promise.all(values.map((value, index) => write(`${split}/${index}.png`, value)));
  const dataset = (paths: readonly string[], more: Partial<Dataset> = {}): Dataset => ({
    name: "files",
    classes: ["a"],
    length: paths.length,
    get: () => Promise.resolve(undefined),
    nameAt: (index) => paths[index]!,
    ...more,
  });
  try {
    const train = await names("train", [1, 2, 3, 200]);
    const other = await names("val", [9, 3]);
    const shared = await findSharedFiles(dataset(train), dataset(other));
    expect(shared).toEqual([{ trained: train[2], evaluated: other[1] }]);
    expect(describeShared(shared)).toEqual([
      "1 file is in both splits, so that the evaluation sees what was trained on: " +
        `${other[1]} = ${train[2]}`,
    ]);
    const rows = dataset(["a.csv:2", "a.csv:3"]);
    expect(await findSharedFiles(rows, rows)).toEqual([]);
    expect(await findSharedFiles(dataset(train, { nameAt: undefined }), dataset(other))).toEqual(
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
