import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("stripes.net", STRIPES);
});

afterAll(() => workspace.remove());

test("--json has each kernel of training and prediction by the spec's line", async () => {
  const { code, stdout } = await netc(["time", "stripes.net", "--batch", "2", "--json"], {
    cwd: workspace.folder,
  });
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ adapter: expect.any(String), model: "Stripes", batch: 2 });
  expect(report.ceilings.gflops).toBeGreaterThan(0);
  expect(report.ceilings.gbps).toBeGreaterThan(0);
  const predicting = report.kernels.filter(({ list }: { list: string }) => list === "predict");
  const conv = predicting.find(({ name }: { name: string }) => name === "features.conv1 forward");
  expect(conv).toMatchObject({ line: 6, layer: "features.conv1", gbps: expect.any(Number) });
  // 2 images of 64 pixels, 4 outputs, 9 taps; a multiply-add is two operations.
  expect(conv.gflops * conv.milliseconds * 1e6).toBeCloseTo(2 * 2 * 64 * 4 * 9, 3);
  for (const list of ["train", "predict"]) {
    expect(report[list].milliseconds).toBeGreaterThan(0);
    const own = report.kernels.filter((kernel: { list: string }) => kernel.list === list);
    const sum = own.reduce((all: number, kernel: typeof conv) => all + kernel.milliseconds, 0);
    expect(report[list].kernels).toBeCloseTo(sum, 6);
  }
});

test("a model without a loss is timed in prediction alone, as tables", async () => {
  const model = "model Half { input image: f32[N, 1, 8, 8]\n conv(2, kernel=3)\n relu }";
  await workspace.write("half.net", model);
  const { code, stdout } = await netc(["time", "half.net"], { cwd: workspace.folder });
  expect(code).toBe(0);
  expect(stdout).not.toMatch(/^train/m);
  expect(stdout).toMatch(/^predict: \d+ kernels; [\d.]+ ms in one submission/m);
  expect(stdout).toMatch(/^total .*%/m);
});
