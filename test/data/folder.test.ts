import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { keepInMemory } from "../../runtime/data/memory.js";
import { decodeImage } from "../../runtime/node/data/decode.js";
import { openFolder } from "../../runtime/node/data/folder.js";
import { temporaryFolder } from "./pattern.js";

const root = await temporaryFolder();

interface Color {
  r: number;
  g: number;
  b: number;
  alpha?: number;
}

function plain(background: Color, width = 4, height = 4) {
  const channels = background.alpha === undefined ? 3 : 4;
  return sharp({ create: { width, height, channels, background } });
}

const RED = { r: 255, g: 0, b: 0 };

/** DIR/CLASS/FILE with the given bytes. */
async function makeFolder(name: string, files: Record<string, Uint8Array>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  return directory;
}

const png = await plain(RED).png().toBuffer();

test("classes are the sorted folder names, files any of the four kinds", async () => {
  const directory = await makeFolder("kinds", {
    "dog/b.PNG": png,
    "dog/a.jpg": await plain(RED).jpeg().toBuffer(),
    "cat/c.webp": await plain(RED).webp().toBuffer(),
    "cat/d.JPEG": await plain(RED).jpeg().toBuffer(),
    "cat/notes.txt": new Uint8Array([1]),
    ".hidden/x.png": png,
  });
  await symlink(join(directory, "dog"), join(directory, "wolf"));
  const dataset = await openFolder(directory, { channels: 3 });
  expect(dataset.classes).toEqual(["cat", "dog", "wolf"]);
  expect(dataset.length).toBe(6);
  const labels = await Promise.all(
    [0, 1, 2, 3, 4, 5].map(async (i) => (await dataset.get(i))!.label),
  );
  expect(labels).toEqual([0, 0, 1, 1, 2, 2]);
  for (let index = 0; index < dataset.length; index++) {
    const { image } = (await dataset.get(index))!;
    expect(image).toMatchObject({ width: 4, height: 4, channels: 3, maximum: 255 });
    expect(image.pixels[0]).toBeGreaterThan(245);
    expect(image.pixels[1]).toBeLessThan(10);
  }
});

test("only the named class folders are read, in the order of their names", async () => {
  const directory = await makeFolder("some", { "a/1.png": png, "b/2.png": png, "c/3.png": png });
  const dataset = await openFolder(directory, { channels: 3, only: ["c", "a"] });
  expect(dataset.classes).toEqual(["c", "a"]);
  expect((await Promise.all([0, 1].map((i) => dataset.get(i)))).map((each) => each!.label)).toEqual(
    [0, 1],
  );
  expect(dataset.length).toBe(2);
  await expect(openFolder(directory, { channels: 3, only: ["a", "d"] })).rejects.toMatchObject({
    message: expect.stringMatching(/some has no class folder d$/),
    hint: "it has a, b, c",
  });
});

test("files that are not used are counted by reason, and said once", async () => {
  const directory = await makeFolder("mixed", {
    "labels.csv": png,
    "a/1.png": png,
    "a/.DS_Store": png,
    "a/notes.txt": png,
    "a/more/2.png": png,
    "a/more/deep/3.png": png,
  });
  const notices: string[] = [];
  const onNotice = (notice: string) => notices.push(notice);
  expect((await openFolder(directory, { channels: 3, onNotice })).length).toBe(3);
  const at = (name: string) => join(directory, name);
  expect(notices).toEqual([
    `${directory}: 3 files are not used: 1 .txt (${at("a/notes.txt")}), ` +
      `1 hidden (${at("a/.DS_Store")}), ` +
      `1 outside of the class folders (${at("labels.csv")})`,
  ]);
});

test("the splits of a data set are not read as its classes", async () => {
  const directory = await makeFolder("splits", { "val/a/1.png": png, "val/b/2.png": png });
  await expect(openFolder(directory, { channels: 3 })).rejects.toMatchObject({
    message: `${directory} holds splits (val/), where class folders are expected`,
    hint: `name a split's own folder in the spec: folder("${join(directory, "val")}")`,
  });
  const deep = await makeFolder("deep", { "dogs/small/1.txt": png, "dogs/large/2.txt": png });
  await expect(openFolder(deep, { channels: 3 })).rejects.toThrow(
    /deep\/dogs holds no images, nor do its folders \(large, small\)/,
  );
});

test.each([
  ["its class", "a/more", "a"],
  ["the data set", "a/all", "."],
  ["the data set, as a class", "all", "."],
])("a link to a folder that holds it, %s, is refused", async (name, link, target) => {
  const directory = await makeFolder(`circle of ${name}`, { "a/1.png": png, "b/2.png": png });
  await symlink(join(directory, target), join(directory, link));
  await expect(openFolder(directory, { channels: 3 })).rejects.toMatchObject({
    message: expect.stringContaining(`${join(directory, link)} is a link to`),
    hint: expect.stringContaining(`remove ${join(directory, link)}`),
  });
});

test("nested folders belong to their class folder, as in torchvision's ImageFolder", async () => {
  const directory = await makeFolder("nested", {
    "a/1.png": png,
    "a/images/0.png": png,
    "a/images/more/9.png": png,
    "b/images/2.png": png,
  });
  const dataset = await openFolder(directory, { channels: 3 });
  expect(dataset.classes).toEqual(["a", "b"]);
  expect([0, 1, 2, 3].map((index) => dataset.labelAt!(index))).toEqual([0, 0, 0, 1]);
});

test("labels follow the classes of training; a class that training lacks is refused", async () => {
  const directory = await makeFolder("follow", { "b/1.png": png });
  const dataset = await openFolder(directory, { channels: 3, classes: ["a", "b"] });
  expect((await dataset.get(0))!.label).toBe(1);
  await expect(openFolder(directory, { channels: 3, classes: ["a"] })).rejects.toThrow(
    /a class that training does not have: b/,
  );
});

test.each([
  ["nothing there", "absent", undefined, /there is no directory/],
  ["an empty folder", "empty", {}, /is empty/],
  [
    "images without classes",
    "flat",
    { "1.png": png, "2.png": png },
    /no class folders, but 2 images/,
  ],
  [
    "a class without images",
    "hollow",
    { "a/1.png": png, "b/readme.txt": png },
    /hollow\/b holds no images/,
  ],
])("%s is an error", async (_, name, files, message) => {
  const directory = files ? await makeFolder(name, files) : join(root, name);
  await expect(openFolder(directory, { channels: 3 })).rejects.toMatchObject({
    name: "DataError",
    message: expect.stringMatching(message),
    hint: expect.any(String),
  });
});

test("a file that does not decode is reported once by name and skipped", async () => {
  const photograph = await sharp({
    create: {
      width: 64,
      height: 64,
      channels: 3,
      noise: { type: "gaussian", mean: 128, sigma: 40 },
      background: RED,
    },
  })
    .jpeg()
    .toBuffer();
  const directory = await makeFolder("damaged", {
    "a/1.png": png,
    "a/2.png": new TextEncoder().encode("no image"),
    "a/3.jpg": photograph.subarray(0, photograph.length / 2),
    "a/4.png": png,
  });
  const skipped: string[] = [];
  const onSkip = ({ file }: { file: string }) => void skipped.push(file);
  const dataset = await openFolder(directory, { channels: 3, onSkip });
  for (let pass = 0; pass < 2; pass++) {
    const decoded = await Promise.all([0, 1, 2, 3].map((index) => dataset.get(index)));
    expect(decoded.map((example) => example !== undefined)).toEqual([true, false, false, true]);
  }
  expect(skipped.sort()).toEqual([join(directory, "a/2.png"), join(directory, "a/3.jpg")]);
});

test("too many files that do not decode end the run with their names", async () => {
  const junk = new Uint8Array([1, 2, 3]);
  const directory = await makeFolder("junk", { "a/1.png": junk, "a/2.png": junk, "a/3.png": png });
  const dataset = await openFolder(directory, { channels: 3, maximumSkips: 1 });
  await dataset.get(0);
  await expect(dataset.get(1)).rejects.toMatchObject({
    name: "DataError",
    message: expect.stringMatching(/2 of the 3 files .* 1 are tolerated:\n.*1\.png: .*\n.*2\.png/),
  });
});

test("without a limit of the user's, half of a small folder must decode", async () => {
  const junk = new Uint8Array([1, 2, 3]);
  const directory = await makeFolder("mostly", {
    "a/1.png": junk,
    "a/2.png": junk,
    "a/3.png": png,
  });
  const dataset = await openFolder(directory, { channels: 3 });
  await dataset.get(0);
  await expect(dataset.get(1)).rejects.toThrow("cannot be decoded");
});

test("orientation, transparency, gray, CMYK and 16 bits come out as plain 8-bit RGB", async () => {
  const pixel = async (bytes: Uint8Array) => [
    ...(await decodeImage(bytes, 3)).pixels.subarray(0, 3),
  ];
  const lying = await plain(RED, 6, 2).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  expect(await decodeImage(lying, 3)).toMatchObject({ width: 2, height: 6 });

  const clear = await plain({ ...RED, alpha: 0 })
    .png()
    .toBuffer();
  expect(await pixel(clear)).toEqual([255, 255, 255]);

  const gray = await plain({ r: 90, g: 90, b: 90 }).toColourspace("b-w").png().toBuffer();
  expect(await pixel(gray)).toEqual([90, 90, 90]);
  expect([...(await decodeImage(gray, 1)).pixels.subarray(0, 2)]).toEqual([90, 90]);

  const cmyk = await plain(RED).toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
  const [red, green, blue] = await pixel(cmyk);
  expect(red).toBeGreaterThan(200);
  expect(green! + blue!).toBeLessThan(120);

  const deep = await plain({ r: 64, g: 128, b: 192 }).toColourspace("rgb16").png().toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe("ushort");
  expect(await pixel(deep)).toEqual([64, 128, 192]);
});

test("decoded images stay in memory up to the budget", async () => {
  const directory = await makeFolder("cached", { "a/1.png": png, "a/2.png": png });
  const dataset = await openFolder(directory, { channels: 3 });
  let decoded = 0;
  const counting = { ...dataset, get: (index: number) => (decoded++, dataset.get(index)) };
  const kept = keepInMemory(counting, 4 * 4 * 3);
  for (let pass = 0; pass < 3; pass++) {
    await kept.get(0);
    await kept.get(1);
  }
  expect(decoded).toBe(1 + 3);
});
