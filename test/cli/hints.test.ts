/** Hints of runs that have a fault, and none of a healthy run. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { makeWorkspace, STRIPES, stripe, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
});

afterAll(() => workspace.remove());

/** The names of the hints of a run of 26 epochs, as said and as kept. */
async function hintsOf(name: string, spec: string, ...flags: readonly string[]) {
  await workspace.write(`${name}.net`, spec.replace("epochs    = 4", "epochs    = 26"));
  const { code, stderr } = await run(["train", `${name}.net`, ...flags], {
    cwd: workspace.folder,
  });
  expect(code, stderr).toBe(0);
  const said = [...stderr.matchAll(/^hint ([\w-]+): /gm)].map(([, hint]) => hint!);
  const kept = JSON.parse(await readFile(workspace.path(`runs/${name}/run.json`), "utf8")) as {
    hints: { name: string }[];
  };
  expect(kept.hints.map((hint) => hint.name)).toEqual(said);
  return said.sort();
}

test("a healthy run has no hints", async () => {
  expect(await hintsOf("healthy", STRIPES)).toEqual([]);
});

test("pictures that are all the same are guessed, as one class", async () => {
  const same = await stripe("above", 1);
  for (const [split, count] of [
    ["train", 16],
    ["val", 8],
  ] as const) {
    for (const name of ["above", "below"]) {
      for (let index = 0; index < count; index++) {
        await workspace.write(`same/${split}/${name}/${index}.png`, same);
      }
    }
  }
  const slow = STRIPES.replace("lr=0.02", "lr=0.001");
  expect(await hintsOf("same", slow, "--data", "same")).toEqual(["one-class", "stuck-loss"]);
});

test("units that never pass anything on are dead", async () => {
  const spec = STRIPES.replace(
    "conv(4, kernel=3, padding=1) -> relu",
    "concat { branch { conv(4, kernel=3, padding=1) -> relu }\n" +
      "branch { conv(4, kernel=3, padding=1, bias_init=constant(-50)) -> relu } }",
  );
  expect(await hintsOf("dead", spec)).toEqual(["dead-relu"]);
});

test("a learning rate that blows up weights without spoiling the loss is told", async () => {
  // Decay with the wrong effect: Adam moves each weight by the learning rate, whatever it is.
  const spec = STRIPES.replace("sgd(lr=0.02, momentum=0.9)", "adam(lr=3)");
  expect(await hintsOf("large", spec)).toContain("exploding-weights");
});
