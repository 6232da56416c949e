/** Deep supervision: a model with one target and several outputs, of which data judge the first. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, stripe, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const WEIGHTS = ["--weights", "runs/deep/best.safetensors"];

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  await workspace.write("deep.net", DEEP);
  const { code, stderr } = await netc("train", "deep.net");
  expect(code, stderr).toBe(0);
});

afterAll(() => workspace.remove());

const DEEP = STRIPES.replace(
  "linear(classes) as logits",
  "linear(6) as hidden -> relu -> linear(classes) as logits",
).replace(
  /loss .*/,
  `from hidden -> linear(classes) as early
  output logits, early, hidden
  loss cross_entropy(logits, label) + 0.3 * cross_entropy(early, label)
  metric early_top1 = accuracy(early, label)`,
);

test("reports and evaluations are about the first output, metrics about any", async () => {
  const { stdout } = await netc("eval", "deep.net", ...WEIGHTS, "--csv", "all.csv", "--json");
  const { top1, early_top1: early, examples, confusion } = JSON.parse(stdout);
  expect(early).toBeGreaterThanOrEqual(0);
  const right = confusion.reduce(
    (sum: number, row: number[], label: number) => sum + row[label]!,
    0,
  );
  expect(right / examples).toBeCloseTo(top1, 6);
  const rows = (await readFile(workspace.path("all.csv"), "utf8")).trimEnd().split("\n").slice(1);
  const hits = rows.filter((row) => row.split(",")[1] === row.split(",")[2]);
  expect(hits.length / rows.length).toBeCloseTo(top1, 6);
  const kept = await readFile(workspace.path("runs/deep/predictions.csv"), "utf8");
  expect(kept.split("\n")[0]).toBe("file,label,prediction,probability");
});

test("predict lists all outputs of an image, classes by their names", async () => {
  await workspace.write("new.png", await stripe("above", 5));
  const { stdout, code } = await netc("predict", "deep.net", ...WEIGHTS, "new.png");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^new\.png\n {2}logits {2}(above|below) \d/);
  expect(stdout).toMatch(/\n {2}early {3}(above|below) \d/);
  expect(stdout).toMatch(/\n {2}hidden {2}-?[\d.]+ {2}/);
  const listed = await netc("predict", "deep.net", ...WEIGHTS, "new.png", "--json");
  const [{ logits, early, hidden }] = JSON.parse(listed.stdout);
  expect(logits.map(({ name }: { name: string }) => name).sort()).toEqual(["above", "below"]);
  expect(early).toHaveLength(2);
  expect(hidden.every(Number.isFinite)).toBe(true);
});

test("Grad-CAM explains the first output", async () => {
  const { code, stderr } = await netc(
    ...["show", "deep.net", ...WEIGHTS, "new.png", "-o", "inside.html"],
  );
  expect(code, stderr).toBe(0);
});
