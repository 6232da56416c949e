/** Commands on a model of triplets, from class folders to predictions. */
import { afterAll, beforeAll, expect, test } from "vitest";
import sharp from "sharp";
import { TRIPLETS } from "../ports/triplets.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;
const run = (...args: string[]) => netc(args, { cwd: workspace.folder });

/** Stripes whose width says the class. */
async function picture(width: number, index: number): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: 64 }, (_, at) =>
    Math.floor((at % 8) / width) % 2 === 0 ? 20 * index : 255 - 10 * index,
  );
  return sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toBuffer();
}

beforeAll(async () => {
  workspace = await makeWorkspace();
  for (const width of [1, 2, 4]) {
    for (const index of [0, 1, 2, 3, 4]) {
      await workspace.write(`photos/wide${width}/${index}.png`, await picture(width, index));
    }
  }
  await workspace.write("photos/wide1/broken.png", new Uint8Array([1, 2, 3]));
  const spec = TRIPLETS.replaceAll('folder("none")', 'folder("photos")');
  await workspace.write("stripes.net", spec);
  await workspace.write("alone/a/1.png", await picture(1, 1));
  await workspace.write("alone/b/1.png", await picture(2, 1));
  await workspace.write("alone/b/2.png", await picture(2, 2));
});

afterAll(() => workspace.remove());

test("train, resume, eval, predict", async () => {
  const trained = await run("train", "stripes.net", "--max-skipped", "1");
  expect(trained.stderr).toContain("broken.png");
  expect(trained.code).toBe(0);
  expect(trained.stdout + trained.stderr).toMatch(/recall_at_1 \d+(\.\d+)?%.*best recall_at_1/);
  const resumed = await run("train", "stripes.net", "--max-skipped", "1", "--resume");
  expect(resumed.code).toBe(0);
  const weights = ["--weights", "runs/stripes/best.safetensors"];
  const evaluated = await run("eval", "stripes.net", ...weights, "--max-skipped", "1", "--json");
  const { recall_at_1: recall, examples } = JSON.parse(evaluated.stdout);
  const [, left] = /(\d+) examples of `triplets` of 16 in .* left out/.exec(evaluated.stderr)!;
  expect(examples).toBe(16 - 1 - Number(left));
  expect(recall).toBeGreaterThanOrEqual(0);
  expect(recall).toBeLessThanOrEqual(1);
  const given = ["photos/wide1/0.png", "photos/wide2/0.png", "--json"];
  const predicted = await run("predict", "stripes.net", ...weights, ...given);
  expect(predicted.code).toBe(0);
  const rows = JSON.parse(predicted.stdout) as Record<string, number[]>[];
  expect(rows.map((row) => row["own.last"]!.length)).toEqual([6, 6]);
});

test("verify finds the kernels of all three inputs right", async () => {
  const { code, stdout } = await run("verify", "stripes.net", "--batch", "3", "--json");
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, ok: true });
});

test("a class with one picture ends the run before its first step", async () => {
  const { code, stderr } = await run("train", "stripes.net", "--data", "alone", "--out", "none");
  expect(code).not.toBe(0);
  expect(stderr).toContain("needs a second picture of each class, and the class a");
});
