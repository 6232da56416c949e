/** A small U-Net on pairs of images and masks, from the command line. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeMask } from "../../runtime/node/data/read-mask.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc, root } from "./netc.js";

const example = join(root, "examples/segmentation");
let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  const text = await readFile(join(example, "shapes.net"), "utf8");
  const small = text
    .replace("width: int = 8", "width: int = 2")
    .replaceAll("64", "32")
    .replace(/epochs += 10/, "epochs=1");
  await workspace.write("shapes.net", small);
  const script = join(example, "make-shapes.mjs");
  execFileSync(process.execPath, [script, join(workspace.folder, "data"), "20"]);
});

afterAll(() => workspace.remove());

const run = (...args: string[]) => netc(args, { cwd: workspace.folder });

test("train, eval and predict, with masks and a report", async () => {
  const trained = await run("train", "shapes.net", "--out", "run");
  expect(trained.stderr).toContain("training Shapes by Base on 16 images, evaluating on 4 images");
  expect(trained.code).toBe(0);
  const report = await readFile(join(workspace.folder, "run/report.html"), "utf8");
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(report)![1]!);
  expect(data.segmentation.classes.map(({ name }: { name: string }) => name)).toEqual([
    ...["background", "circle", "square", "triangle"],
  ]);
  expect(data.segmentation.examples).toHaveLength(4);

  const weights = ["--weights", "run/weights.safetensors"];
  const evaluated = JSON.parse((await run("eval", "shapes.net", ...weights, "--json")).stdout);
  const ious = evaluated.classes.flatMap(({ iou }: { iou: number | null }) => iou ?? []);
  const mean = ious.reduce((sum: number, iou: number) => sum + iou, 0) / ious.length;
  expect(evaluated.miou).toBeCloseTo(mean, 6);
  const refused = await run("eval", "shapes.net", ...weights, "--csv", "x.csv");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--masks DIR")]);

  const shown = await run("show", "shapes.net", ...weights, "data/images/0001.png");
  expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining("--annotate DIR")]);

  const folders = ["--masks", "masks", "--annotate", "over", "--json"];
  const images = ["data/images/0001.png", "data/images/0002.png"];
  const predicted = await run("predict", "shapes.net", ...weights, ...images, ...folders);
  const [first] = JSON.parse(predicted.stdout);
  const mask = await decodeMask(await readFile(join(workspace.folder, first.mask)));
  expect([mask.width, mask.height]).toEqual([32, 32]);
  for (const { index, share } of first.classes) {
    const count = mask.pixels.filter((label) => label === index).length;
    expect(share).toBeCloseTo(count / 1024, 9);
  }
  const overlay = join(workspace.folder, "over/data/images/0002.png");
  expect((await readFile(overlay)).length).toBeGreaterThan(100);
});
