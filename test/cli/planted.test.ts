/** A data set with ten planted faults: which of them netc names, and where. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;
let surveyed: Outcome;
let trained: Outcome;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

/** A picture whose color tells its class, with noise by its seed. */
function picture(hue: "red" | "blue", seed: number, size = 24): Sharp {
  const pixels = Uint8Array.from({ length: size * size * 3 }, (_, at) => {
    const isBright = at % 3 === (hue === "red" ? 0 : 2);
    return (isBright ? 180 : 40) + 30 + 30 * Math.sin(13 * at + 78.233 * seed);
  });
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } });
}

async function put(path: string, content: Sharp | string): Promise<void> {
  const file = workspace.path("photos", path);
  await mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
  if (typeof content === "string") await writeFile(file, content);
  else await writeFile(file, await content.jpeg({ quality: 95 }).toBuffer());
}

beforeAll(async () => {
  workspace = await makeWorkspace();
  for (let index = 0; index < 30; index++) {
    await put(`train/red/${index}.jpg`, picture("red", index));
    await put(`train/blue/${index}.jpg`, picture("blue", index));
    if (index >= 10) continue;
    await put(`val/red/${index}.jpg`, picture("red", 100 + index));
    await put(`val/blue/${index}.jpg`, picture("blue", 100 + index));
  }
  await put("val/red/copy.jpg", picture("red", 3)); // 1: in both splits
  await put("val/blue/mislabeled.jpg", picture("red", 300)); // 2: a wrong label
  for (let index = 0; index < 3; index++) {
    await put(`train/rare/${index}.jpg`, picture("blue", 400 + index, 20)); // 3: a tiny class
  }
  await put("train/red/broken.jpg", "not a picture"); // 4: unreadable
  await put("train/red/large.jpg", picture("red", 500, 64)); // 5: mixed sizes
  await put("train/red/turned.jpg", picture("red", 501).withMetadata({ orientation: 6 })); // 6
  await put("train/blue/gray.jpg", picture("blue", 502).grayscale()); // 7: gray among colors
  await put("train/blue/more/nested.jpg", picture("blue", 503)); // 8: nested folders
  await put("train/red/phone.heic", "heic"); // 10: files of other types
  await put("train/blue/notes.txt", "notes");
  surveyed = await netc("init", "photos", "-o", "own.net");
  expect(surveyed.code, surveyed.stderr).toBe(0);
  trained = await netc("train", "own.net", "--epochs", "12");
  expect(trained.code, trained.stderr).toBe(0);
});

afterAll(() => workspace.remove());

test.each([
  ["a picture in both splits", /in both splits[^]*val\/red\/copy.jpg = .*train\/red\/3.jpg/],
  ["a class of 3 pictures", /fewer than 20 examples to learn from: rare \(3\)/],
  ["a file that is not readable", /1 file cannot be read[^]*red\/broken.jpg/],
  ["mixed sizes", /shorter sides 20 to 64 pixels/],
  ["pictures turned by EXIF", /1 picture turned upright by EXIF/],
  ["gray among colors", /1 of 6\d pictures have no color/],
  [
    "files of other types",
    /2 files are not used: 1 \.heic .*1 \.txt .*convert these files to JPEG/,
  ],
])("init names %s", (_, message) => {
  expect(surveyed.stdout).toMatch(message);
});

test("nested folders are read", () => {
  expect(surveyed.stdout).toMatch(/^blue +32 +11$/m);
});

test.each([
  ["a picture in both splits", /1 file is in both splits, .*copy.jpg = .*3.jpg/],
  ["a class without evaluation examples", /no examples of a class, .*: rare/],
  ["a file that is not readable", /skipped .*broken.jpg/],
  ["files of other types", /2 files are not used: 1 \.heic .*1 \.txt/],
])("train names %s", (_, message) => {
  expect(trained.stderr).toMatch(message);
});

test("the report names the file with a wrong label, and the notices", async () => {
  const report = await readFile(workspace.path("runs/own/report.html"), "utf8");
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(report)!;
  const { examination, facts } = JSON.parse(json!) as {
    examination: { mistakes: { name: string }[] };
    facts: [string, string][];
  };
  expect(examination.mistakes[0]!.name).toMatch(/val\/blue\/mislabeled.jpg$/);
  const notices = facts.filter(([name]) => name === "data").map(([, text]) => text);
  expect(notices.join("\n")).toMatch(/in both splits[^]*/);
});

test("an empty class is refused by name", async () => {
  await mkdir(workspace.path("photos/train/zero"));
  const { code, stderr } = await netc("train", "own.net", "--out", "runs/zero");
  expect(code).toBe(1);
  expect(stderr).toMatch(/the class folder .*train\/zero holds no images/);
});
