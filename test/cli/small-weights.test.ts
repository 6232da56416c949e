/** Small weights with the built command: what they cost, who reads them, what is refused. */
import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseTensors } from "../../runtime/safetensors.js";
import { makeWorkspace, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const read = (name: string) => readFile(workspace.path(name));

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  const spec = String(await read("stripes.net"));
  // Enough numbers in a weight, and averages in checkpoints.
  const wider = spec
    .replace("conv(4,", "conv(64,")
    .replace("  seed ", "  average = ema(0.5)\n  seed ");
  await workspace.write("stripes.net", wider);
  const trained = await netc("train", "stripes.net", "--epochs", "2", "--out", "run");
  expect(trained.stderr + trained.stdout).toContain("best.safetensors");
});
afterAll(() => workspace.remove());

test("with a spec, small weights say what they cost, and so does netc eval", async () => {
  const best = "run/best.safetensors";
  const made = await netc("weights", "stripes.net", best, "-o", "u4.safetensors", "--as", "u4");
  expect(made.stderr).not.toContain("error");
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/logits\.weight +\[2, 1024\] +u4 +1,040 +symmetric in \d of 2/);
  expect(made.stdout).toMatch(/conv1\.weight +\[64, 1, 3, 3\] +f32 +2,304 +kept: under 1024/);
  expect(made.stdout).toMatch(/wrote u4\.safetensors: .*, 33\.\d% of 10\.5 KiB/);
  expect(made.stdout).toMatch(/compared with the original weights:\nloss +[\d.]+ -> [\d.]+\ntop1/);

  const evaluated = await netc("eval", "stripes.net", "--weights", "u4.safetensors");
  const cost = made.stdout.slice(made.stdout.indexOf("compared with"));
  expect(evaluated.stdout).toContain(cost.trim());
  const json = await netc("eval", "stripes.net", "--weights", "u4.safetensors", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ examples: 16, original: { examples: 16 } });
});

test("predict, train, import, export and the table read small weights", async () => {
  const file = "u4.safetensors";
  const outcomes = await Promise.all([
    netc("predict", "stripes.net", "data/val/above/0.png", "--weights", file),
    netc("train", "stripes.net", "--weights", file, "--steps", "1", "--out", "next"),
    netc("import", "stripes.net", file, "-o", "imported"),
    netc("export", "stripes.net", "--weights", file, "--to", "onnx", "-o", "small.onnx"),
    netc("weights", "stripes.net", file),
  ]);
  for (const { code, stderr } of outcomes) expect([code, stderr]).toEqual([0, expect.anything()]);
  expect(outcomes[4].stdout).toMatch(/logits\.weight +classifier|logits\.weight +logits\.weight/);
  const small = parseTensors(await read(file)).tensors;
  expect(parseTensors(await read("imported/stripes.safetensors")).tensors).toEqual(small);
});

test("a checkpoint gives its averages, and cannot be resumed from when small", async () => {
  const made = await netc(
    "weights",
    "run/last.safetensors",
    "-o",
    "last.safetensors",
    "--as",
    "f16",
  );
  expect(made.stderr).toContain("left out: the optimizer's state, which training needs");
  expect(made.stderr).toContain("the averages of the weights are taken");
  const { tensors } = parseTensors(await read("last.safetensors"));
  const weights = parseTensors(await read("run/weights.safetensors")).tensors;
  expect([...tensors.keys()].sort()).toEqual([...weights.keys()].sort());
  for (const [name, { values }] of weights) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = Math.max(
      ...tensors.get(name)!.values.map((half, i) => Math.abs(half - values[i]!)),
    );
    expect(error).toBeLessThanOrEqual(largest * 2 ** -11);
  }
  await workspace.write("small/previous.safetensors", await read("last.safetensors"));
  await copyFile(workspace.path("last.safetensors"), workspace.path("small/last.safetensors"));
  const resumed = await netc("train", "stripes.net", "--out", "small", "--resume");
  expect(resumed.code).toBe(1);
  expect(resumed.stderr).toContain("does not say how far its run had come");
});

test("--target-loss chooses forms by measuring, and keeps to its target", async () => {
  const args = ["weights", "stripes.net", "run/best.safetensors", "-o", "chosen.safetensors"];
  const made = await netc(...args, "--target-loss", "0", "--json");
  expect(made.code).toBe(0);
  expect(made.stderr).toMatch(/all as u4: top1 [\d.]+%, loss/);
  const { metrics, original, tensors } = JSON.parse(made.stdout) as {
    metrics: { top1: number };
    original: { top1: number };
    tensors: readonly { name: string; as: string }[];
  };
  expect(metrics.top1).toBeGreaterThanOrEqual(original.top1);
  expect(tensors.find(({ name }) => name === "logits.weight")!.as).not.toBe("f32");
});

test("what cannot be made small, or makes no sense, is refused and not written", async () => {
  await writeFile(workspace.path("nan.safetensors"), "not weights at all");
  const cases: readonly (readonly [args: readonly string[], code: number, message: string])[] = [
    [["u4.safetensors", "-o", "x", "--as", "u8"], 1, "are small already; errors would add up"],
    [["nan.safetensors", "-o", "x", "--as", "u8"], 1, "nan.safetensors: this is not a valid"],
    [["run/best.safetensors", "-o", "x"], 2, "needs either --as f16, u8 or u4, or --target-loss"],
    [["run/best.safetensors", "--as", "u8"], 2, "-o FILE says where to"],
    [["run/best.safetensors", "-o", "x", "--target-loss", "1"], 2, "--target-loss is for weights"],
    [["run/best.safetensors", "-o", "run/best.safetensors", "--as", "u8"], 2, "must be kept"],
    [["run/best.safetensors"], 2, "which weights?"],
  ];
  const outcomes = await Promise.all(cases.map(([args]) => netc("weights", ...args)));
  for (const [index, [, code, message]] of cases.entries()) {
    expect(outcomes[index]!.stderr).toContain(message);
    expect(outcomes[index]!.code).toBe(code);
  }
  expect(existsSync(workspace.path("x"))).toBe(false);
});
