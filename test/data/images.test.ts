/** Images as they come: each kind does what a user would expect, or is named with its reason. */
import sharp, { type SharpOptions } from "sharp";
import { expect, test } from "vitest";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeImage, decodePicture } from "../../runtime/node/data/decode.js";
import { openFolder } from "../../runtime/node/data/folder.js";
import { images } from "../../scripts/fuzz/data/samples.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

const plain = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });

const noise = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, noise: { type: "gaussian", mean: 128, sigma: 60 } },
  } as SharpOptions);

/** With other bytes in the middle of its compressed pixels. */
function damaged(file: Buffer): Buffer {
  const middle = Math.floor(file.length / 2);
  return file.fill(0xa5, middle, middle + 40);
}

/** A small JPEG whose header declares another size. */
async function declaring(width: number, height: number): Promise<Buffer> {
  const file = await plain(16, 16, "red").jpeg().toBuffer();
  // The frame header: marker, length, precision, height, width.
  const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
  file.writeUInt16BE(height, frame + 5);
  file.writeUInt16BE(width, frame + 7);
  return file;
}

test.each([
  ["empty", Buffer.alloc(0), /the file is empty/],
  [
    "of text",
    Buffer.from("<html>not found</html>"),
    /^it is not an image, .*unsupported image format/,
  ],
  [
    "truncated",
    (await noise(64, 64).jpeg().toBuffer()).subarray(0, 1500),
    /^it is truncated .*premature end of JPEG/,
  ],
  [
    "damaged",
    damaged(await noise(64, 64).png().toBuffer()),
    /^it is damaged or truncated .*libpng read error/,
  ],
])("a file that is %s is refused with its reason", async (_, bytes, reason) => {
  await expect(decodeImage(bytes, 3)).rejects.toThrow(reason);
});

test("an image of any kind that is truncated decodes, or is refused with a reason", async () => {
  const reasons: string[] = [];
  for (const file of await images()) {
    for (let end = 1; end < file.length; end += Math.ceil(file.length / 24)) {
      await decodeImage(file.subarray(0, end), 3).catch(({ message }: Error) =>
        reasons.push(message),
      );
    }
  }
  expect(reasons.length).toBeGreaterThan(100);
  const inWords = /^it is (truncated|damaged or truncated|not an image, or its format)/;
  expect(reasons.filter((reason) => !inWords.test(reason))).toEqual([]);
});

test("a picture too large to decode is refused before it takes memory", async () => {
  await expect(decodeImage(await declaring(10_001, 10_000), 3)).rejects.toThrow(
    "10001x10000 pixels are 100.0 megapixels, and at most 100 are decoded: " +
      "scale it down first",
  );
});

test("of an animation the first frame is used, which is said once", async () => {
  const frames = Buffer.concat(
    [255, 100, 5].map((red) => Buffer.from(Array.from({ length: 16 }, () => [red, 0, 0]).flat())),
  );
  const raw = { width: 4, height: 12, channels: 3, pageHeight: 4 } as const;
  const animated = await sharp(frames, { raw })
    .webp({ lossless: true, delay: [50, 50, 50] })
    .toBuffer();
  const { image, frames: count } = await decodePicture(animated, 3);
  expect([image.width, image.height, image.pixels[0], count]).toEqual([4, 4, 255, 3]);
  await mkdir(join(root, "animated/a"), { recursive: true });
  for (const name of ["1.webp", "2.webp"])
    await writeFile(join(root, "animated/a", name), animated);
  const notices: string[] = [];
  const dataset = await openFolder(join(root, "animated"), {
    channels: 3,
    onNotice: (notice) => notices.push(notice),
  });
  await dataset.get(0);
  await dataset.get(1);
  expect(notices).toEqual([
    expect.stringMatching(/1\.webp is animated: of its 3 frames the first/),
  ]);
});

test("16-bit and gray images with transparency come out as 8 bits over white", async () => {
  const deep = Uint16Array.from([0, 65535, 32768, 257]);
  const gray = await sharp(deep, { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace("grey16")
    .png()
    .toBuffer();
  expect([...(await decodeImage(gray, 1)).pixels]).toEqual([0, 255, 128, 1]);
  const veiled = await sharp(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 255]), {
    raw: { width: 2, height: 1, channels: 4 },
  })
    .png()
    .toBuffer();
  expect([...(await decodeImage(veiled, 1)).pixels]).toEqual([255, 0]);
});

test(
  "a file that cannot be read is named once with its reason, " +
    "counted and left out; too many end the run",
  async () => {
    await mkdir(join(root, "some/a"), { recursive: true });
    const good = await plain(4, 4, "red").png().toBuffer();
    const write = (name: string, bytes: Buffer) => writeFile(join(root, "some/a", name), bytes);
    await write("1.png", good);
    await write("2.png", good.subarray(0, 30));
    await write("3.jpg", Buffer.alloc(0));
    await write("4.png", good);
    const skipped: string[] = [];
    const open = (maximumSkips: number) =>
      openFolder(join(root, "some"), {
        channels: 3,
        maximumSkips,
        onSkip: ({ file, reason }) => skipped.push(`${file.split("/").at(-1)}: ${reason}`),
      });
    const dataset = await open(2);
    const read = () => Promise.all([0, 1, 2, 3].map((index) => dataset.get(index)));
    expect((await read()).map((example) => example !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    await read();
    expect(dataset.unreadable!()).toBe(2);
    expect(skipped.sort()).toEqual([
      expect.stringMatching(/^2\.png: it is damaged or truncated/),
      "3.jpg: the file is empty",
    ]);
    const strict = await open(1);
    await strict.get(1);
    await expect(strict.get(2)).rejects.toThrow(
      /2 of the 4 files in .*some cannot be decoded, and 1/,
    );
  },
);

/**
 * The left and the right half of a picture of 8x4, as [red, green, blue], from the middle of each.
 */
async function halves(bytes: Buffer): Promise<number[][]> {
  const { pixels, width, height } = await decodeImage(bytes, 3);
  const middle = Math.floor(height / 2) * width;
  return [middle + Math.floor(width / 4), middle + Math.floor((3 * width) / 4)].map((at) => [
    ...pixels.subarray(3 * at, 3 * at + 3),
  ]);
}

const redAndBlue = sharp(
  Uint8Array.from({ length: 8 * 4 * 3 }, (_, index) => {
    const isLeft = Math.floor(index / 3) % 8 < 4;
    return index % 3 === (isLeft ? 0 : 2) ? 255 : 0;
  }),
  { raw: { width: 8, height: 4, channels: 3 } },
);

test("palettes, GIFs and TIFFs give their colors", async () => {
  const files = [
    await redAndBlue.clone().png({ palette: true }).toBuffer(),
    await redAndBlue.clone().gif().toBuffer(),
    await redAndBlue.clone().tiff({ compression: "none" }).toBuffer(),
  ];
  for (const file of files) {
    // Choosing a palette costs a few levels.
    const differences = (await halves(file)).flat().map((value, index) => {
      return Math.abs(value - [255, 0, 0, 0, 0, 255][index]!);
    });
    expect(Math.max(...differences)).toBeLessThan(8);
  }
});

test("CMYK gives what it looks like, neither inverted nor with a fourth channel", async () => {
  const cmyk = await redAndBlue.clone().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer();
  expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
  const [left, right] = (await halves(cmyk)) as [number[], number[]];
  expect(left[0]).toBeGreaterThan(180);
  expect(Math.max(left[1]!, left[2]!)).toBeLessThan(90);
  expect(right[2]).toBeGreaterThan(right[0]! + 50);
});

test("the camera's orientation is applied: rotated images are upright", async () => {
  // 6: the camera lay on its side; turned clockwise, left comes to the top.
  const turned = await redAndBlue.clone().withMetadata({ orientation: 6 }).png().toBuffer();
  const { width, height, pixels } = await decodeImage(turned, 3);
  expect([width, height]).toEqual([4, 8]);
  expect([...pixels.subarray(0, 3)]).toEqual([255, 0, 0]);
  expect([...pixels.subarray(-3)]).toEqual([0, 0, 255]);
});

test("gray images serve networks of colors, and colors networks of gray", async () => {
  const gray = await plain(2, 2, "#808080").greyscale().jpeg().toBuffer();
  expect([...(await decodeImage(gray, 3)).pixels.subarray(0, 3)]).toEqual([128, 128, 128]);
  // 0.299 of 255
  expect((await decodeImage(await plain(2, 2, "red").png().toBuffer(), 1)).pixels[0]).toBe(76);
});
