/**
 * Predictions of single examples, `eval --csv` and `predict --csv`, what a run keeps of them,
 * `compare`, which reads that, and `train --find-lr`.
 */
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, STRIPES, stripe, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const WEIGHTS = ["--weights", "runs/stripes/best.safetensors"];

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  await workspace.write("stripes.net", STRIPES.replace("epochs    = 4", "epochs    = 2"));
  // A wrong label, a name with commas, and a file that is not an image.
  await workspace.write("data/val/above/wrong, really.png", await stripe("below", 3));
  await workspace.write("data/val/below/broken.png", "not a picture");
  const { code, stderr } = await netc("train", "stripes.net");
  expect(code, stderr).toBe(0);
});

afterAll(() => workspace.remove());

async function rowsOf(name: string): Promise<string[][]> {
  const text = await readFile(workspace.path(name), "utf8");
  const cell = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g;
  return text
    .trimEnd()
    .split("\n")
    .map((line) => [...line.matchAll(cell)].map(([, quoted, plain]) => quoted ?? plain!))
    .map((cells) => cells.slice(0, -1));
}

test("eval --csv lists each example, and agrees with the metrics", async () => {
  const csv = ["--csv", "out/predictions.csv"];
  // Two calls of the network, the second not full.
  const evaluated = await netc(
    "eval",
    "stripes.net",
    ...WEIGHTS,
    ...csv,
    "--batch",
    "12",
    "--json",
  );
  expect(evaluated.code, evaluated.stderr).toBe(0);
  const { examples, top1, calibration } = JSON.parse(evaluated.stdout) as {
    examples: number;
    top1: number;
    calibration: { error: number; bins: { examples: number }[] };
  };
  const [header, ...rows] = await rowsOf("out/predictions.csv");
  const columns = ["file", "label", "prediction", "probability_above", "probability_below"];
  expect(header).toEqual(columns);
  expect(rows).toHaveLength(examples);
  expect(examples).toBe(17);
  const right = rows.filter(([, label, prediction]) => label === prediction).length;
  expect(right / examples).toBeCloseTo(top1, 6);
  for (const [file, label, prediction, above, below] of rows) {
    expect(file).toContain(`data/val/${label}/`);
    expect(Number(above) + Number(below)).toBeCloseTo(1, 4);
    expect(prediction).toBe(Number(above) > Number(below) ? "above" : "below");
  }
  const wrong = rows.find(([file]) => file!.endsWith("wrong, really.png"))!;
  expect(wrong.slice(1, 3)).toEqual(["above", "below"]);
  expect(rows.some(([file]) => file!.endsWith("broken.png"))).toBe(false);
  expect(calibration.bins.reduce((sum, bin) => sum + bin.examples, 0)).toBe(examples);
  expect(await readdir(workspace.path("out"))).toEqual(["predictions.csv"]);
});

test("eval --split train names wrong labels of the examples to train on", async () => {
  await workspace.write("planted.net", STRIPES.replaceAll('"data/', '"planted/'));
  await workspace.write("planted/train/above/turned.png", await stripe("below", 40));
  await workspace.write("planted/val/above/0.png", await stripe("above", 41));
  await workspace.write("planted/val/below/0.png", await stripe("below", 42));
  for (let index = 0; index < 4; index++) {
    await workspace.write(`planted/train/above/${index}.png`, await stripe("above", 43 + index));
    await workspace.write(`planted/train/below/${index}.png`, await stripe("below", 50 + index));
  }
  const { code, stdout, stderr } = await netc(
    ...["eval", "planted.net", ...WEIGHTS, "--split", "train"],
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^examples +9$/m);
  expect(stdout).toMatch(/planted\/train\/above\/turned.png +above +below +\d/);
});

test("predict --csv lists all classes, whatever --top shows", async () => {
  const csv = ["--top", "1", "--csv", "named.csv"];
  const { code, stderr } = await netc("predict", "stripes.net", ...WEIGHTS, ...csv, "data/val");
  expect(code, stderr).toBe(0);
  const [header, ...rows] = await rowsOf("named.csv");
  expect(header).toEqual(["file", "prediction", "probability_above", "probability_below"]);
  expect(rows).toHaveLength(17);
  for (const [, prediction, above, below] of rows) {
    expect(prediction).toBe(Number(above) > Number(below) ? "above" : "below");
  }
});

test("predict lists the numbers of a model without classes", async () => {
  const plain = STRIPES.replace(/^data [^]*/m, "");
  await workspace.write("plain.net", plain);
  const numbers = plain
    .replace("target label: u32[N] in 0..classes", "target place: f32[N, 2]")
    .replace(/ {2}loss.*\n.*\n/, "  loss mse(logits, place)\n");
  await workspace.write("numbers.net", numbers);
  for (const name of ["plain", "numbers"]) {
    const csv = ["--csv", `${name}.csv`, "data/val"];
    const { code, stdout, stderr } = await netc("predict", `${name}.net`, ...WEIGHTS, ...csv);
    expect(code, stderr).toBe(0);
    expect(stdout.split("\n\n")).toHaveLength(17);
  }
  const [header, ...rows] = await rowsOf("numbers.csv");
  expect(header).toEqual(["file", "logits_0", "logits_1"]);
  const [, ...named] = await rowsOf("plain.csv");
  expect(rows).toHaveLength(17);
  for (const [index, [file, above, below]] of rows.entries()) {
    const [same, , probability] = named[index]!;
    expect(file).toBe(same);
    const softmax = 1 / (1 + Math.exp(Number(below) - Number(above)));
    expect(softmax).toBeCloseTo(Number(probability), 4);
  }
});

test("a run keeps its predictions, and its report links the mistakes' files", async () => {
  const [header, ...rows] = await rowsOf("runs/stripes/predictions.csv");
  expect(header).toEqual(["file", "label", "prediction", "probability"]);
  expect(rows).toHaveLength(17);
  const report = await readFile(workspace.path("runs/stripes/report.html"), "utf8");
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(report)!;
  const { examination } = JSON.parse(json!) as {
    examination: { trained: number[]; mistakes: { name: string; link: string }[] };
  };
  expect(examination.trained).toEqual([16, 16]);
  const { link } = examination.mistakes.find(({ name }) => name.endsWith("wrong, really.png"))!;
  expect(link).toBe("../../data/val/above/wrong%2C%20really.png");
  const about = JSON.parse(await readFile(workspace.path("runs/stripes/run.json"), "utf8")) as {
    spec: { text: string };
    predictions: unknown;
  };
  expect(about.spec.text).toContain("model Stripes");
  expect(about.predictions).toEqual({ examples: 17, of: 18 });
});

describe("compare", () => {
  beforeAll(async () => {
    const other = ["--lr", "0.0001", "--epochs", "3", "--out", "runs/other"];
    const { code, stderr } = await netc("train", "stripes.net", ...other);
    expect(code, stderr).toBe(0);
  });

  test("tells recipes, figures, significance and curves of two runs", async () => {
    const page = ["-o", "out/compare.html"];
    const { code, stdout, stderr } = await netc("compare", "runs/stripes", "runs/other", ...page);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^metric +stripes +other$/m);
    expect(stdout).toMatch(/^epochs\n {2}stripes {2}2\n {2}other {4}3$/m);
    expect(stdout).toMatch(/^optimizer\n {2}stripes {2}sgd\(learningRate=0.02, /m);
    expect(stdout).toMatch(/^Spec\nno differences$/m);
    expect(stdout).toMatch(/stripes is right about .* of 17 examples, other about/);
    expect(stdout).toMatch(/McNemar's exact test: p = [01]\.\d+/);
    const html = await readFile(workspace.path("out/compare.html"), "utf8");
    // Training and evaluation loss, and accuracy: a line for each run.
    expect(html.match(/<polyline/g)).toHaveLength(6);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("refuses runs over different data, and what is not a run", async () => {
    const file = workspace.path("runs/other/predictions.csv");
    const lines = (await readFile(file, "utf8")).split("\n");
    await workspace.write("runs/less/predictions.csv", lines.slice(0, -2).join("\n"));
    for (const name of ["run.json", "metrics.jsonl"]) {
      await workspace.write(
        `runs/less/${name}`,
        await readFile(workspace.path("runs/other", name)),
      );
    }
    const refused = await netc("compare", "runs/stripes", "runs/less");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/were evaluated on different examples: 17 in .*, 16 in/);
    const missing = await netc("compare", "runs/stripes", "data");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/data has no run.json\n.*name the folder of a run/);
  });
});

test("--find-lr suggests a learning rate and leaves no trace but its curve", async () => {
  const before = await readFile(workspace.path("runs/stripes/best.safetensors"));
  const flags = [...WEIGHTS, "--steps", "60", "--find-lr", "out/rates.svg"];
  const tested = await netc("train", "stripes.net", ...flags);
  expect(tested.code, tested.stderr).toBe(0);
  expect(tested.stdout).toMatch(/suggestion: [\d.e-]+; the loss /);
  expect(tested.stdout).toMatch(/try it: netc train stripes.net --lr [\d.e-]+/);
  const svg = await readFile(workspace.path("out/rates.svg"), "utf8");
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).toContain("suggestion");
  expect(await readFile(workspace.path("runs/stripes/best.safetensors"))).toEqual(before);
  expect((await readdir(workspace.path("runs"))).sort()).toEqual(["less", "other", "stripes"]);
  for (const wrong of [["--resume"], ["--epochs", "3"], ["--find-lr", "curve.jpg"]]) {
    const refused = await netc("train", "stripes.net", "--find-lr", ...wrong);
    expect(refused.code, refused.stdout).toBe(2);
  }
});

test("what cannot be listed is refused before the run", async () => {
  const decoder = STRIPES.replace(/ {2}target.*\n/, "")
    .replace("flatten -> linear(classes)", "flatten -> linear(64) -> reshape([1, 8, 8])")
    .replace(/ {2}loss.*\n.*\n/, "  loss mse(logits, image)\n");
  await workspace.write("decoder.net", decoder);
  const refused = await netc("eval", "decoder.net", ...WEIGHTS, "--csv", "decoder.csv");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/--csv lists the probabilities of classes, and model Stripes/);
  // A folder in the way: nothing half-written stays.
  const taken = await netc("eval", "stripes.net", ...WEIGHTS, "--csv", "data");
  expect(taken.code).toBe(4);
  expect(taken.stderr).toMatch(/data could not be written: it is a (folder|directory)/);
  expect(
    (await readdir(workspace.folder)).filter((name) => /partial|decoder.csv/.test(name)),
  ).toEqual([]);
});
