/** Groups of columns for several inputs and targets, with the built command. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const COLUMNS =
  'left=["l0", "l1"], words="w*", series="s*", kind="kind", place=["px", "py"], standardize=true';

const SPEC = `model Several {
  input  left: f32[N, 2]
  input  words: u32[N, 3] in 0..6
  input  series: f32[N, 3, 2]
  target kind: u32[N] in 0..2
  target place: f32[N, 2]

  from words  -> embedding(4) -> flatten as w
  from series -> flatten as s
  from left   -> concat(w, s) -> linear(32) -> relu as both
  linear(2) as logits
  from both -> linear(2) as moved

  loss   cross_entropy(logits, kind, class_weights=[1, 2]) + mse(moved, place)
  metric top1  = accuracy(logits, kind)
  metric error = mae(moved, place)
}

data Table for Several {
  train csv("train.csv", ${COLUMNS})
  eval  csv("eval.csv", ${COLUMNS})
}

train Base of Several on Table {
  epochs    = 30
  batch     = 16
  optimizer = adam(lr=0.01)
  seed      = 1
}
`;

const NAMES = ["l0", "l1", "w0", "w1", "w2", "s0a", "s0b", "s1a", "s1b", "s2a", "s2b"];
const TARGETS = ["kind", "px", "py"];

/** Which of the words is 5, and what the series says, decide. */
function rowOf(row: number): Readonly<Record<string, string>> {
  const wave = (step: number) => Math.sin(step * (row + 1));
  const words = [0, 1, 2].map((place) => (row * (place + 3)) % 5);
  if (row % 2 === 0) words[row % 3] = 5;
  const series = Array.from({ length: 6 }, (_, at) => wave(at + 1.5));
  const left = [wave(0.7), wave(2.2)];
  const values = [...left, ...words, ...series].map((each) => String(Number(each.toFixed(4))));
  const px = left[0]! + series[5]!;
  const py = left[1]! - 2 * series[0]!;
  return {
    ...Object.fromEntries(NAMES.map((name, at) => [name, values[at]!])),
    kind: row % 2 === 0 ? "five" : "none",
    px: px.toFixed(4),
    py: py.toFixed(4),
  };
}

function table(names: readonly string[], rows: readonly number[]): string {
  const lines = rows.map((row) => names.map((name) => rowOf(row)[name]).join(","));
  return `${names.join(",")}\n${lines.join("\n")}\n`;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

let trained: Outcome;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("several.net", SPEC);
  await workspace.write("train.csv", table([...NAMES, ...TARGETS], numbers(0, 240)));
  await workspace.write("eval.csv", table([...TARGETS, ...NAMES].toReversed(), numbers(240, 300)));
  trained = await netc("train", "several.net");
});

afterAll(() => workspace.remove());

const WEIGHTS = ["--weights", "runs/several/weights.safetensors"];

describe("several inputs and targets of a csv", () => {
  test("are trained on and evaluated, the columns found by name", async () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stderr).not.toMatch(/warning/);
    expect(trained.stdout).toMatch(/netc predict several.net .* ROWS.csv/);
    const { code, stdout, stderr } = await netc("eval", "several.net", ...WEIGHTS, "--json");
    expect(code, stderr).toBe(0);
    const { examples, top1, error } = JSON.parse(stdout);
    expect(examples).toBe(60);
    expect(top1).toBeGreaterThan(0.95);
    expect(error).toBeLessThan(0.2);
  });

  test("are predicted, each output with its classes or numbers", async () => {
    await workspace.write("new.csv", table(NAMES.toReversed(), [300, 301]));
    const predict = ["predict", "several.net", ...WEIGHTS, "new.csv"];
    const { code, stdout, stderr } = await netc(...predict, "--json", "--csv", "p.csv");
    expect(code, stderr).toBe(0);
    const rows = JSON.parse(stdout) as { logits: { name: string }[]; moved: number[] }[];
    expect(rows.map(({ logits }) => logits[0]!.name)).toEqual(["five", "none"]);
    rows.forEach(({ moved }, index) => {
      expect(Math.abs(moved[0]! - Number(rowOf(300 + index)["px"]))).toBeLessThan(0.6);
      expect(Math.abs(moved[1]! - Number(rowOf(300 + index)["py"]))).toBeLessThan(0.6);
    });
    const lines = (await readFile(workspace.path("p.csv"), "utf8")).trim().split("\n");
    expect(lines[0]).toBe("file,logits,logits_five,logits_none,moved_0,moved_1");
    expect(lines[1]).toMatch(/^new\.csv:2,five,/);
    expect((await netc(...predict)).stdout).toMatch(/^new\.csv:2\n {2}logits {2}five \d/);
  });

  test("modules standardize numbers, and exports are told to be given such", async () => {
    for (const flags of [[], ["--predict-only"]]) {
      const { code, stderr } = await netc("compile", "several.net", "-o", "build", ...flags);
      expect(code, stderr).toBe(0);
      expect(stderr).not.toMatch(/standardized/);
      const module = await readFile(workspace.path("build/several.js"), "utf8");
      expect(module).toContain('export const standardized = ["left","series"];');
      const types = await readFile(workspace.path("build/several.d.ts"), "utf8");
      expect(types).toContain("Numbers of `left`, `series` are as in the table");
    }
    const exported = await netc("export", "several.net", ...WEIGHTS, "--to", "onnx");
    expect(exported.code, exported.stderr).toBe(0);
    const said = exported.stdout + exported.stderr;
    for (const name of ["left", "series"]) {
      expect(said).toMatch(
        new RegExp(
          `numbers of \`${name}\` must .*std, mean \\[[-\\d., e]+\\], std \\[[\\d., e-]+\\]`,
        ),
      );
    }
    const pixels = ["--to", "onnx", "--with-preprocessing", "--overwrite"];
    const refused = await netc("export", "several.net", ...WEIGHTS, ...pixels);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("--with-preprocessing is for pixels");
  });

  test("a run that was stopped and resumed ends with the same numbers", async () => {
    const whole = await netc("train", "several.net", "--epochs", "2", "--out", "whole");
    expect(whole.code, whole.stderr).toBe(0);
    const one = ["train", "several.net", "--epochs", "1", "--out", "parts"];
    expect((await netc(...one)).code).toBe(0);
    const rest = await netc("train", "several.net", "--epochs", "2", "--out", "parts", "--resume");
    expect(rest.code, rest.stderr).toBe(0);
    const bytes = (folder: string) => readFile(workspace.path(`${folder}/weights.safetensors`));
    expect(Buffer.compare(await bytes("whole"), await bytes("parts"))).toBe(0);
  });

  test.each([
    ["a word out of range", "w1", "6", /bad\.csv:2: "6" in the column w1 is not one of `words`/],
    ["a word that is a fraction", "w1", "1.5", /expected an integer from 0 to 5/],
    ["an empty cell", "s1a", "", /bad\.csv:2: expected a number for a feature, but got ""/],
    ["NaN", "px", "nan", /bad\.csv:2: expected a number for a target, but got "nan"/],
    ["infinity", "l0", "inf", /expected a number for a feature, but got "inf" in the column l0/],
    ["an unknown class", "kind", "six", /a class that training does not have: six/],
  ])("%s is refused with its line", async (_, column, cell, message) => {
    const names = [...NAMES, ...TARGETS];
    const cells = names.map((name) => (name === column ? cell : rowOf(0)[name]));
    await workspace.write("bad.csv", `${names.join(",")}\n${cells.join(",")}\n`);
    const { code, stderr } = await netc(
      ...["eval", "several.net", ...WEIGHTS, "--data", "bad.csv"],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("quotes, CRLF, a byte order mark and semicolons change nothing", async () => {
    const plain = table([...NAMES, ...TARGETS], numbers(240, 300));
    const quoted = plain.replaceAll(/[^,\n]+/g, '"$&"').replaceAll(",", ";");
    await workspace.write("quoted.csv", `\ufeff${quoted.replaceAll("\n", "\r\n")}`);
    const evaluated = async (...flags: string[]) =>
      JSON.parse((await netc("eval", "several.net", ...WEIGHTS, "--json", ...flags)).stdout);
    expect(await evaluated("--data", "quoted.csv")).toEqual(await evaluated());
  });
});
