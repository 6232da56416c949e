/** Whatever follows the training of a batch in slices: report, timings, checks. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReportData } from "../../report/data.js";
import { makeWorkspace, STRIPES, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;
const netc = (...args: string[]) => run(args, { cwd: workspace.folder });

/** Three slices of 3, 3 and 2 images; a phase that ends within the run; averages. */
const sliced = STRIPES.replace(
  /epochs .*\n[^]*$/,
  `epochs     = 2
  batch      = 8
  accumulate = 3
  average    = ema(0.9)
  freeze     = [features.*]
  unfreeze   = after(1 epochs, [features.*])
  optimizer  = adam(lr=0.01)
}
`,
);

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  await workspace.write("sliced.net", sliced);
});

afterAll(() => workspace.remove());

async function reportOf(folder: string): Promise<ReportData> {
  const html = await readFile(workspace.path(folder, "report.html"), "utf8");
  const [, data] = /<script[^>]* id="data"[^>]*>([^]*?)<\/script>/.exec(html)!;
  return JSON.parse(data!) as ReportData;
}

test("a run with accumulated gradients, phases and averages ends with its report", async () => {
  const { code, stderr } = await netc("train", "sliced.net");
  expect(code, stderr).toBe(0);
  const { timings, examination } = await reportOf("runs/sliced");
  expect(timings!.note).toContain("A training step of 8 examples in 3 slices");
  const names = timings!.kernels.map(({ name }) => name);
  // Of the last phase, in which the features are trained; slices and the update alike.
  expect(names).toContain("features.conv1 forward");
  expect(names).toContain("features.conv1.weight update");
  expect(examination!.examples).toBe(16);
});

test("so does one that `--memory` slices", async () => {
  const summary = await netc("summary", "stripes.net", "--batch", "32", "--json");
  const { memory } = JSON.parse(summary.stdout) as { memory: { training: number } };
  const budget = `${Math.round(0.5 * memory.training)}B`;
  const outcome = await netc("train", "stripes.net", ...["--memory", budget, "--batch", "32"]);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stderr).toMatch(/netc splits the batch into \d slices/);
  expect((await reportOf("runs/stripes")).timings!.note).toMatch(/in \d slices/);
});

test("slices that `--memory` makes in a later phase are not the device's", async () => {
  await workspace.write("phases.net", sliced.replace(/ {2}accumulate = 3\n/, ""));
  const flags = ["--batch", "32", "--memory", "24KiB", "--steps", "1"];
  const { code, stderr } = await netc("train", "phases.net", ...flags);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/netc splits the batch into \d+ slices/);
  expect(stderr).not.toContain("exceeds what this device can bind");
});

test("time counts each slice, and verify checks the kernels of a slice", async () => {
  const { code, stdout, stderr } = await netc("time", "sliced.net", "--batch", "8", "--json");
  expect(code, stderr).toBe(0);
  const { train, kernels } = JSON.parse(stdout) as {
    train: { submissions: number };
    kernels: { list: string; name: string; gflops: number; milliseconds: number }[];
  };
  expect(train.submissions).toBe(4);
  const conv = kernels.find(
    ({ list, name }) => list === "train" && name === "features.conv1 forward",
  )!;
  // All 8 images of 64 pixels, 4 outputs, 9 taps.
  expect(conv.gflops * conv.milliseconds * 1e6).toBeCloseTo(2 * 8 * 64 * 4 * 9, 3);
  expect(kernels.map(({ name }) => name)).toContain("logits.weight update");
});
