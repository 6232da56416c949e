import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("stripes.net", STRIPES);
});

afterAll(() => workspace.remove());

test("all kernels of a network are right on this adapter, as JSON", async () => {
  const args = ["verify", "stripes.net", "--json"];
  const { code, stdout } = await netc(args, { cwd: workspace.folder });
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ model: "Stripes", batch: 2, ok: true, first: null });
  expect(report.kernels).toBeGreaterThan(8);
  expect(report.values).toBeGreaterThan(500);
});

test("and for people", async () => {
  const { code, stdout } = await netc(["verify", "stripes.net"], { cwd: workspace.folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^right: Stripes, batch 2, on .*: \d+ kernels, [\d,]+ values compared/);
});
