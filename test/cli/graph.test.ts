import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;
const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("stripes.net", STRIPES);
});

afterAll(() => workspace.remove());

test("the ending says whether the graph is SVG or PNG", async () => {
  expect((await netc("graph", "stripes.net", "-o", "stripes.svg")).code).toBe(0);
  expect((await netc("graph", "stripes.net", "-o", "stripes.PNG")).code).toBe(0);
  const svg = await readFile(workspace.path("stripes.svg"), "utf8");
  const width = Number(/<svg [^>]*width="(\d+)"/.exec(svg)![1]);
  const picture = sharp(workspace.path("stripes.PNG"));
  expect(await picture.metadata()).toMatchObject({ format: "png", width: 2 * width });
  // Letters are dark: a picture without fonts would have none of that.
  const { channels } = await picture.extract({ left: 32, top: 20, width: 80, height: 36 }).stats();
  expect(channels[0]!.min).toBeLessThan(80);
});

test("a network that is too long for two pixels a unit becomes a smaller PNG", async () => {
  const layers = Array.from({ length: 250 }, () => "linear(4)").join(" -> ");
  await workspace.write("long.net", `model Long { input x: f32[N, 4]\n ${layers} as y }`);
  const { code, stderr } = await netc("graph", "long.net", "-o", "long.png");
  expect(stderr).not.toContain("error");
  expect(code).toBe(0);
  const { height } = await sharp(workspace.path("long.png"), { unlimited: true }).metadata();
  expect(height).toBeGreaterThan(30_000);
  expect(height).toBeLessThanOrEqual(32_767);
});

test("another ending is refused before anything is drawn", async () => {
  const { code, stderr } = await netc("graph", "stripes.net", "-o", "stripes.jpg");
  expect(code).toBe(2);
  expect(stderr).toContain("error: stripes.jpg ends in neither .svg nor .png");
});
