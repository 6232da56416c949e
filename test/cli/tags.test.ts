/** Several tags an example from csv files, with the built command. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const SPEC = `model Pets {
  input  x: f32[N, 2]
  target tags: f32[N, 3]

  linear(16) -> relu -> linear(3) as logits

  loss   bce_with_logits(logits, tags)
  metric right = binary_accuracy(logits, tags)
}

data Table for Pets {
  train csv("pets.csv", label=["cat", "dog", "bird"])
  eval  csv("eval.csv", label=["cat", "dog", "bird"])
}

train Base of Pets on Table {
  epochs    = 40
  batch     = 16
  optimizer = adam(lr=0.02)
  seed      = 1
}
`;

/** Of the last tag there is no example. */
function rowOf(row: number): string {
  const [a, b] = [Math.sin(3 * row), Math.cos(5 * row + 1)];
  return [a > 0 ? 1 : 0, a.toFixed(4), b.toFixed(4), b > 0.2 ? 1 : 0, 0].join(",");
}

const HEADER = "cat,a,b,dog,bird";

const table = (from: number, to: number) =>
  [HEADER, ...Array.from({ length: to - from }, (_, index) => rowOf(from + index)), ""].join("\n");

let trained: Outcome;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("pets.net", SPEC);
  await workspace.write("pets.csv", table(0, 200));
  await workspace.write("eval.csv", table(200, 260));
  await workspace.write("new.csv", "b,a\n0.9,0.9\n-0.9,-0.9\n");
  trained = await netc("train", "pets.net");
});

afterAll(() => workspace.remove());

const WEIGHTS = ["--weights", "runs/pets/weights.safetensors"];

describe("tags from csv", () => {
  test("are evaluated one by one", async () => {
    expect(trained.code, trained.stderr).toBe(0);
    const { code, stdout, stderr } = await netc("eval", "pets.net", ...WEIGHTS, "--json");
    expect(code, stderr).toBe(0);
    const { right, tags } = JSON.parse(stdout) as {
      right: number;
      tags: { name: string; support: number; accuracy: number; recall: number | null }[];
    };
    expect(tags.map(({ name }) => name)).toEqual(["cat", "dog", "bird"]);
    const rows = Array.from({ length: 60 }, (_, index) => rowOf(200 + index).split(","));
    const supports = [0, 3, 4].map((at) => rows.filter((row) => row[at] === "1").length);
    expect(tags.map(({ support }) => support)).toEqual(supports);
    expect(tags[0]!.recall).toBeGreaterThan(0.9);
    expect(tags[2]).toMatchObject({ support: 0, precision: null, recall: null });
    const mean = tags.reduce((sum, { accuracy }) => sum + accuracy, 0) / 3;
    expect(mean).toBeCloseTo(right, 6);
    const report = await readFile(workspace.path("runs/pets/report.html"), "utf8");
    const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(report)![1]!);
    expect([data.tags, data.regression]).toEqual([tags, undefined]);
    const text = (await netc("eval", "pets.net", ...WEIGHTS)).stdout;
    expect(text).toMatch(/tag +examples +accuracy +precision +recall\n-[- ]+\ncat /);
    expect(text).toMatch(/bird +0 +100(\.0+)?% +- +-/);
  });

  test("are predicted with their names and probabilities", async () => {
    const predict = ["predict", "pets.net", ...WEIGHTS, "new.csv"];
    const { code, stdout, stderr } = await netc(...predict, "--json", "--csv", "p.csv");
    expect(code, stderr).toBe(0);
    const rows = JSON.parse(stdout) as { tags: { name: string; probability: number }[] }[];
    const found = rows.map(({ tags }) =>
      tags
        .filter(({ probability }) => probability > 0.5)
        .map(({ name }) => name)
        .sort(),
    );
    expect(found).toEqual([["cat", "dog"], []]);
    const lines = (await readFile(workspace.path("p.csv"), "utf8")).trim().split("\n");
    expect(lines[0]).toBe("file,probability_cat,probability_dog,probability_bird");
    const cells = lines[1]!.split(",").slice(1).map(Number);
    for (const [at, name] of ["cat", "dog", "bird"].entries()) {
      const probability = rows[0]!.tags.find((tag) => tag.name === name)!.probability;
      expect(cells[at]).toBeCloseTo(probability, 5);
    }
    const shown = (await netc(...predict, "--top", "1")).stdout;
    expect(shown).toMatch(/^new\.csv:2\n +\d+\.\d+% {2}(cat|dog)\n\nnew\.csv:3\n/);
  });

  test.each([
    ["2", 1],
    ["-1", 1],
    ["0.5", 0],
  ])("a cell of %s", async (cell, expected) => {
    await workspace.write("own.csv", `${HEADER}\n1,0.5,0.5,0,0\n1,0.5,0.5,${cell},0\n`);
    const { code, stderr } = await netc("eval", "pets.net", ...WEIGHTS, "--data", "own.csv");
    expect(code, stderr).toBe(expected);
    if (expected === 0) return;
    expect(stderr).toContain(`own.csv:3: "${cell}" in the column dog is not from 0 to 1`);
    expect(stderr).toContain("write 1 for a tag that an example has");
  });
});
