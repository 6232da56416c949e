/**
 * Features from CSV files, and warnings that only the data of a run tell, with the built command.
 */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const SPEC = `model Flowers {
  input  x: f32[N, 4]
  target label: u32[N] in 0..3

  linear(16) -> relu -> linear(3) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}

data Iris for Flowers {
  train csv("iris.csv", holdout=0.25) { normalize(mean=[0, 2, -3, 0.5], std=[1, 2, 1, 0.5]) }
  eval  csv("iris.csv", holdout=0.25) { normalize(mean=[0, 2, -3, 0.5], std=[1, 2, 1, 0.5]) }
}

train Base of Flowers on Iris {
  epochs    = 12
  batch     = 8
  optimizer = adam(lr=0.02)
  average   = ema(0.9)
  seed      = 1
}
`;

/** Three classes around three points, with negative and decimal numbers. */
function iris(): string {
  const points = [
    [-1.5, 0.25, -4, 0.1],
    [0.5, 6, -3.5, 0.9],
    [1.75, 1, -1, 0.5],
  ];
  const lines = Array.from({ length: 72 }, (_, row) => {
    const label = row % 3;
    const noise = (column: number) => Math.sin(13 * row + 5 * column) / 5;
    const values = points[label]!.map((value, column) => (value + noise(column)).toFixed(3));
    return `${values.join(",")},${["setosa", "versicolor", "virginica"][label]}`;
  });
  return `sepal,width,petal,depth,label\n${lines.join("\n")}\n`;
}

let trained: Outcome;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("flowers.net", SPEC);
  await workspace.write("iris.csv", iris());
  trained = await netc("train", "flowers.net");
});

afterAll(() => workspace.remove());

const WEIGHTS = ["--weights", "runs/flowers/weights.safetensors"];

describe("features from csv", () => {
  test("are trained on, and no warning is given", () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stdout).toMatch(/test accuracy: top1 100.0%/);
    expect(trained.stderr).not.toMatch(/warning\[/);
    expect(trained.stdout).toMatch(/netc eval flowers.net/);
    expect(trained.stdout).toMatch(/netc predict flowers.net .* ROWS.csv/);
  });

  test("are evaluated", async () => {
    const { code, stdout, stderr } = await netc("eval", "flowers.net", ...WEIGHTS, "--json");
    expect(code, stderr).toBe(0);
    const { examples, top1, classes } = JSON.parse(stdout) as {
      readonly [name in string]: unknown;
    };
    expect({ examples, top1 }).toEqual({ examples: 18, top1: 1 });
    expect(JSON.stringify(classes)).toContain("virginica");
  });

  test("have a report without pictures of mistakes", async () => {
    const report = await readFile(workspace.path("runs/flowers/report.html"), "utf8");
    expect(report).toContain("virginica");
    expect(report).not.toContain("data:image/");
  });

  test("are predicted from rows without a label", async () => {
    await workspace.write("rows.csv", "petal,sepal,width,depth\n-3.4,0.5,6,0.9\n");
    const { code, stdout, stderr } = await netc(
      ...["predict", "flowers.net", ...WEIGHTS, "rows.csv", "--top", "1"],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^rows\.csv:2\n.*versicolor/);
  });

  test("are not predicted from images", async () => {
    const { code, stderr } = await netc("predict", "flowers.net", ...WEIGHTS, "cat.jpg");
    expect(code).toBe(1);
    expect(stderr).toMatch(/reads rows of numbers, not images/);
  });
});

describe("before the first step", () => {
  /** What a run of two steps says before them. */
  const startOf = async (name: string, text: string, ...flags: string[]) => {
    await workspace.write(`${name}.net`, text);
    const outcome = await netc("train", `${name}.net`, "--steps", "2", ...flags);
    expect(outcome.code, outcome.stderr).toBe(0);
    return outcome.stderr.split(/^epoch 1/m)[0]!;
  };

  test("what only the data tell is said", async () => {
    const images = SPEC.replace("x: f32[N, 4]", "image: f32[N, 1, 2, 2]")
      .replace("  linear(16)", "  flatten -> linear(16)")
      .replaceAll(/normalize\(.*\)/g, "")
      .replaceAll("iris.csv", "pixels.csv")
      .replace("0..3", "0..5")
      .replace("linear(3)", "linear(5)")
      .replace("ema(0.9)", "ema(0.9999)");
    const rows = Array.from({ length: 24 }, (_, row) => `0,0.5,${row % 2},1,${row % 3}`);
    await workspace.write("pixels.csv", `${rows.join("\n")}\n`);
    const stderr = await startOf("pixels", images);
    expect(stderr).toMatch(/NET3066\]: after 2 steps, 100% of the averaged weights are/);
    expect(stderr).toMatch(/NET3067\]: model `Flowers` has 5 classes, but .* have 3/);
    expect(stderr).toMatch(/NET3068\]: the largest pixel of `csv` is 1, but `maximum` is 255/);
  });

  test("slices of one example that a flag makes are said", async () => {
    const normalized = SPEC.replace("linear(16)", "linear(16) -> batchnorm");
    const stderr = await startOf("slices", normalized, "--batch", "1");
    expect(stderr).toMatch(/NET3065\]: batchnorm `batchnorm1` normalizes each feature over 1/);
  });
});
