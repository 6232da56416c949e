/** Commands on a model with two inputs, a tower that both share, and two targets. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PLAIN, recipeOf, SIAMESE } from "../ports/siamese.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

const SETTINGS = "  epochs = 1\n  batch = 4\n  optimizer = sgd(lr=0.1)";

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("siamese.net", recipeOf(SIAMESE, SETTINGS));
  await workspace.write("plain.net", PLAIN);
  const data = '\ndata Pairs { train csv("pairs.csv") }\n';
  const read = recipeOf(SIAMESE, SETTINGS).replace("of Siamese {", "of Siamese on Pairs {");
  await workspace.write("data.net", read + data);
  const loads = `${SETTINGS}\n  weights = load("w.safetensors", except=[a.*])`;
  await workspace.write("except.net", recipeOf(SIAMESE, loads));
  await workspace.write("targets.net", TARGETS);
});

/** One input, two targets. */
const TARGETS = `model Targets {
  input  image: f32[N, 1, 4, 4]
  target kind: u32[N] in 0..3
  target side: u32[N] in 0..2
  flatten -> linear(4) as both -> linear(3) as kinds
  from both -> linear(2) as sides
  loss cross_entropy(kinds, kind) + cross_entropy(sides, side)
}
`;

afterAll(() => workspace.remove());

const run = (...args: string[]) => netc(args, { cwd: workspace.folder });

test("check finds nothing wrong, and fmt --check nothing to change", async () => {
  expect((await run("check", "siamese.net")).code).toBe(0);
  await run("fmt", "siamese.net");
  expect((await run("fmt", "--check", "siamese.net")).code).toBe(0);
});

test("summary counts shared weights once, and names them", async () => {
  const { stdout } = await run("summary", "siamese.net", "--json");
  const { layers, totals, weights } = JSON.parse(stdout);
  const numbers = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const trained = weights.filter(({ role }: { role: string }) => role === "trained");
  const sum = trained.reduce(
    (all: number, each: { shape: number[] }) => all + numbers(each.shape),
    0,
  );
  expect(totals.parameters).toBe(sum);
  const convs = layers.filter(({ weights: name }: { weights?: string }) => name === "tower.conv1");
  expect(convs).toMatchObject([
    { name: "a.conv1", parameters: 168, macs: 23_328 },
    { name: "b.conv1", parameters: 168, macs: 23_328 },
  ]);
  const table = (await run("summary", "siamese.net")).stdout;
  expect(table).toMatch(/^a\.conv1 .* 168 .* tower\.conv1: weight, bias$/m);
  expect(table).toMatch(/^b\.conv1 .* shared .* tower\.conv1: weight, bias$/m);
  expect(table).toMatch(new RegExp(`^total +${sum.toLocaleString("en")} `, "m"));
});

test("graph draws both inputs, and counts shared weights once", async () => {
  await run("graph", "siamese.net", "-o", "siamese.svg");
  const picture = await readFile(workspace.path("siamese.svg"), "utf8");
  for (const name of ["left", "right"]) expect(picture).toContain(`>${name}<`);
  expect(picture).toContain("2.33 k parameters");
});

test("verify finds every kernel right", async () => {
  const { code, stdout } = await run("verify", "plain.net", "--batch", "3", "--json");
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, model: "Siamese", ok: true });
});

test("time shows the kernels of both uses of the tower", async () => {
  const { code, stdout } = await run("time", "plain.net", "--batch", "2", "--json");
  expect(code).toBe(0);
  const layers = JSON.parse(stdout).kernels.map(({ layer }: { layer: string }) => layer);
  expect(layers).toEqual(expect.arrayContaining(["a.conv1", "b.conv1", "logits", "moved"]));
});

describe("commands that read data say what to do instead, before they run", () => {
  const feed =
    "help: feed it arrays from JavaScript: `netc compile siamese.net`, then " +
    "`step({ left, right }, { kind, shift })`, or `fit` with batches of them";
  test.each([
    [["train", "siamese.net"], "has the inputs `left` and `right`"],
    [["eval", "siamese.net", "--weights", "w.safetensors"], "has the inputs `left` and `right`"],
  ])("%j", async (args, what) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(what);
    expect(stderr).toContain(feed);
  });

  test("train, where the spec declares data", async () => {
    const { code, stderr } = await run("train", "data.net");
    expect(code).toBe(1);
    expect(stderr).toContain("error[NET3027]");
    expect(stderr).toContain("does not say which columns hold `left`, `right`, `kind` and `shift`");
    expect(stderr).not.toContain("NET3021");
  });

  test("train, where there are several targets and no recipe", async () => {
    const { stderr } = await run("train", "targets.net");
    expect(stderr).toContain("has the targets `kind` and `side`");
    expect(stderr).toContain("`step(images, { kind, side })`");
  });

  test("predict", async () => {
    const weights = ["--weights", "w.safetensors"];
    const { code, stderr } = await run("predict", "siamese.net", "a.png", ...weights);
    expect(code).toBe(1);
    expect(stderr).toContain("reads `left` and `right`, and `netc predict` gives it one image");
    expect(stderr).toContain("call `predict({ left, right })` of the compiled module");
    const targets = await run("predict", "targets.net", "a.png", ...weights, "--annotate", "x");
    expect(targets.stderr).toContain("--annotate draws what one output says");
    expect(targets.stderr).toContain("has several");
  });
});

test("patterns name shared weights by the share, not by a use of it", async () => {
  const { code, stderr } = await run("check", "except.net");
  expect(code).toBe(1);
  expect(stderr).toContain("error[NET3022]: `a.*`");
  expect(stderr).toContain("weights begin with `tower`, `logits` and `moved`");
});
