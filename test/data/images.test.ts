/** Images as they come: each kind does what a user would expect, or is named with its reason. */
import sharp, { type SharpOptions } from "sharp";
import { expect, test } from "vitest";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeImage, decodePicture } from "../../runtime/node/data/decode.js";
import { openFolder } from "../../runtime/node/data/folder.js";
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
  ["of text", Buffer.from("<html>not found</html>"), /unsupported image format/],
  ["cut off", (await noise(64, 64).jpeg().toBuffer()).subarray(0, 1500), /premature end of JPEG/],
  ["damaged", damaged(await noise(64, 64).png().toBuffer()), /libpng read error/],
])("a file that is %s is refused with its reason", async (_, bytes, reason) => {
  await expect(decodeImage(bytes, 3)).rejects.toThrow(reason);
});

test("a picture too large to decode is refused before it takes memory", async () => {
  await expect(decodeImage(await declaring(10_001, 10_000), 3)).rejects.toThrow(
    "10001x10000 pixels are 100.0 megapixels, and at most 100 are decoded: scale it down beforehand",
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

test("16-bit and grey images with transparency come out as 8 bits over white", async () => {
  const deep = Uint16Array.from([0, 65535, 32768, 257]);
  const grey = await sharp(deep, { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace("grey16")
    .png()
    .toBuffer();
  expect([...(await decodeImage(grey, 1)).pixels]).toEqual([0, 255, 128, 1]);
  const veiled = await sharp(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 255]), {
    raw: { width: 2, height: 1, channels: 4 },
  })
    .png()
    .toBuffer();
  expect([...(await decodeImage(veiled, 1)).pixels]).toEqual([255, 0]);
});
