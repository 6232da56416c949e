/** A generator and a discriminator trained on data, and samples of them, from the command line. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReportData } from "../../report/data.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc, root } from "./netc.js";

const spec = join(root, "examples/gan/digits.net");
let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
});

afterAll(() => workspace.remove());

const reportOf = async (folder: string) => {
  const html = await readFile(join(workspace.folder, folder, "report.html"), "utf8");
  const [, json] = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)!;
  return JSON.parse(json!) as ReportData;
};

const run = (...args: string[]) => netc(args, { cwd: workspace.folder });

test("train logs the losses by name; predict writes samples, the same for a seed", async () => {
  const trained = await run("train", spec, "--steps", "3", "--out", "run");
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(/training loss [\d.]+, d [\d.]+, g [\d.]+/);

  const records = (await readFile(join(workspace.folder, "run/metrics.jsonl"), "utf8")).split("\n");
  const step = JSON.parse(records[0]!) as { loss: number; losses: { d: number; g: number } };
  expect(step.loss).toBeCloseTo(step.losses.d + step.losses.g, 5);

  const sample = async (file: string, ...more: string[]) => {
    const weights = ["--weights", "run/weights.safetensors", "--samples", file];
    const { code } = await run("predict", spec, ...weights, "--count", "7", ...more);
    expect(code).toBe(0);
    return readFile(join(workspace.folder, file));
  };
  const first = await sample("first.png");
  // Three columns and three rows of 8 pixels with lines of one pixel around them.
  expect(await sharp(first).metadata()).toMatchObject({ format: "png", width: 28, height: 28 });
  expect((await sharp(first).stats()).channels[0]!.stdev).toBeGreaterThan(1);
  expect(await sample("again.png", "--seed", "0")).toEqual(first);
  expect(await sample("other.png", "--seed", "1")).not.toEqual(first);

  // The report shows the same.
  const { generated } = await reportOf("run");
  expect(generated).toMatchObject({ epoch: 1, count: 64, seed: 0, strips: [{ epoch: 1 }] });
  const shown = Buffer.from(generated!.picture.split(",")[1]!, "base64");
  expect(shown).toEqual(await sample("all.png", "--count", "64"));

  const none = await run("predict", spec, "--weights", "run/weights.safetensors");
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("--samples samples.png")]);
});

test("the report of a resumed run shows the samples of the epochs before", async () => {
  const table = join(workspace.folder, "few.csv");
  const digits = gunzipSync(await readFile(join(root, "specs/data/digits.csv.gz"))).toString();
  await writeFile(table, digits.split("\n").slice(0, 96).join("\n"));
  const train = (out: string, ...more: string[]) =>
    run("train", spec, "--data", table, "--batch", "32", "--out", out, ...more);
  expect((await train("whole", "--epochs", "3")).code).toBe(0);
  // It stops within the second epoch, of three steps.
  expect((await train("parts", "--steps", "4")).code).toBe(0);
  expect((await train("parts", "--resume", "--epochs", "3")).code).toBe(0);
  const { generated } = await reportOf("parts");
  expect(generated!.strips.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  expect(generated).toEqual((await reportOf("whole")).generated);

  // Samples of another run's epochs are not shown.
  expect((await train("parts", "--overwrite", "--steps", "1")).code).toBe(0);
  expect((await reportOf("parts")).generated!.strips).toHaveLength(1);
});

test("--find-lr is refused for a recipe with steps, before anything runs", async () => {
  const { code, stderr } = await run("train", spec, "--find-lr");
  expect([code, stderr]).toEqual([2, expect.stringContaining("recipe Base has a loss a step")]);
});
