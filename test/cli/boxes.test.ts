/** A small detector on pictures and their boxes, from the command line. */
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReportData } from "../../report/data.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc, root } from "./netc.js";

const example = join(root, "examples/detection");
let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  const text = await readFile(join(example, "shapes.net"), "utf8");
  const small = text
    .replace("width: int = 16", "width: int = 2")
    .replaceAll("_crop(64", "_crop(32")
    .replace("3, 64, 64", "3, 32, 32")
    .replaceAll(") {\n    random_crop", ") {\n    resize(32) -> random_crop")
    .replaceAll(") {\n    center_crop", ") {\n    resize(32) -> center_crop")
    .replace(/epochs += 30/, "epochs = 1");
  await workspace.write("shapes.net", small);
  const script = join(example, "make-shapes.mjs");
  execFileSync(process.execPath, [script, join(workspace.folder, "data"), "20"]);
});

afterAll(() => workspace.remove());

const run = (...args: string[]) => netc(args, { cwd: workspace.folder });
const WEIGHTS = ["--weights", "run/weights.safetensors"];

interface Predicted {
  readonly boxes: readonly { readonly name: string; readonly score: number }[];
}

test("train, eval and predict, with drawn boxes", async () => {
  const trained = await run("train", "shapes.net", "--out", "run");
  expect(trained.stderr).toContain("training Shapes by Base on 16 images, evaluating on 4 images");
  expect(trained.code).toBe(0);
  expect(trained.stdout + trained.stderr).toMatch(/map50 \d+\.\d%, map \d+\.\d%/);

  const report = await readFile(join(workspace.folder, "run/report.html"), "utf8");
  const { detection } = JSON.parse(/id="data">(.*?)<\/script>/s.exec(report)![1]!) as ReportData;
  expect(detection!.classes.map(({ name }) => name)).toEqual(["circle", "square", "triangle"]);
  expect(detection!.pictures).toHaveLength(4);

  const evaluated = JSON.parse((await run("eval", "shapes.net", ...WEIGHTS, "--json")).stdout);
  expect(evaluated.map50).toBeGreaterThanOrEqual(evaluated.map);

  const images = ["data/images/0001.png", "data/images/0002.png"];
  expect(detection!.classes.map(({ precision }) => precision?.ap50)).toEqual(
    evaluated.classes.map(({ ap50 }: { ap50?: number }) => ap50),
  );
  expect(evaluated.withoutBoxes).toBe(0);
  const boxes = detection!.pictures.reduce((sum, { truth }) => sum + truth.length, 0);
  const supports = detection!.classes.map(({ precision }) => precision?.support ?? 0);
  expect(boxes).toBe(supports.reduce((sum, each) => sum + each, 0));

  const flags = ["--annotate", "drawn", "--json"];
  const predicted = await run("predict", "shapes.net", ...WEIGHTS, ...images, ...flags);
  const all = JSON.parse(predicted.stdout) as readonly Predicted[];
  expect(all).toHaveLength(2);
  for (const { name, score } of all.flatMap(({ boxes }) => boxes)) {
    expect(["circle", "square", "triangle"]).toContain(name);
    expect(score).toBeGreaterThan(0);
  }
  const overlay = await readFile(join(workspace.folder, "drawn/data/images/0002.png"));
  expect(overlay.subarray(1, 4).toString()).toBe("PNG");
});

test("the most certain boxes alone; what explains a class of an image refuses them", async () => {
  const flags = ["data/images/0001.png", "--json", "--top", "1"];
  const { stdout } = await run("predict", "shapes.net", ...WEIGHTS, ...flags);
  expect((JSON.parse(stdout) as readonly Predicted[])[0]!.boxes.length).toBeLessThan(2);
  const certain = await run("predict", "shapes.net", ...WEIGHTS, ...flags, "--threshold", "1");
  expect((JSON.parse(certain.stdout) as readonly Predicted[])[0]!.boxes).toEqual([]);
  const all = await run("predict", "shapes.net", ...WEIGHTS, ...flags.slice(0, 2), "--threshold=0");
  const few = await run(
    ...["predict", "shapes.net", ...WEIGHTS, ...flags.slice(0, 2), "--threshold=0", "--overlap=0"],
  );
  const count = ({ stdout }: { readonly stdout: string }) =>
    (JSON.parse(stdout) as readonly Predicted[])[0]!.boxes.length;
  expect(count(few)).toBeLessThan(count(all));
  const wrong = await run("predict", "shapes.net", ...WEIGHTS, ...flags, "--threshold", "30");
  expect(wrong.stderr).toContain("Expected a number from 0 to 1");
  const { code, stderr } = await run("show", "shapes.net", "data/images/0001.png", ...WEIGHTS);
  expect(code).toBe(1);
  expect(stderr).toContain("model Shapes of shapes.net predicts boxes");
});

test("a wrong class in a file of boxes is named with its line", async () => {
  const file = join(workspace.folder, "data/labels/0003.txt");
  const before = await readFile(file);
  await writeFile(file, "0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n");
  const { code, stderr } = await run("train", "shapes.net", "--out", "wrong");
  expect(code).toBe(1);
  expect(stderr).toContain("0003.txt");
  expect(stderr).toContain("7");
  await writeFile(file, before);
});

test("a picture without a file of boxes has none", async () => {
  await rm(join(workspace.folder, "data/labels/0004.txt"));
  const { code } = await run("train", "shapes.net", "--out", "bare", "--steps", "1");
  expect(code).toBe(0);
});
