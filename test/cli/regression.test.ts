/** Numbers to predict from CSV files, with the built command. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const SOURCE = 'csv("houses.csv", label=["price", "rent"], holdout=0.25)';

const SPEC = `model Houses {
  input  x: f32[N, 3]
  target y: f32[N, 2]

  linear(2) as out

  loss   mse(out, y)
  metric error = mae(out, y)
}

data Table for Houses {
  train ${SOURCE} { normalize(mean=[0, 2, 0], std=[1, 2, 1]) }
  eval  ${SOURCE} { normalize(mean=[0, 2, 0], std=[1, 2, 1]) }
}

train Base of Houses on Table {
  epochs    = 60
  batch     = 8
  optimizer = adam(lr=0.1)
  seed      = 1
}
`;

const priceOf = ([a, b, c]: readonly number[]) => 2.5 * a! - b! + 0.5 * c! - 3;
const rentOf = ([a, , c]: readonly number[]) => -a! - 2 * c! + 1;

const features = (row: number) => [
  Math.sin(3 * row),
  2 + 2 * Math.cos(5 * row),
  Math.sin(7 * row + 1),
];

function houses(): string {
  const lines = Array.from({ length: 64 }, (_, row) => {
    const x = features(row);
    return [priceOf(x), ...x, rentOf(x)].map((value) => value.toFixed(4)).join(",");
  });
  return `price,a,b,c,rent\n${lines.join("\n")}\n`;
}

let trained: Outcome;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("houses.net", SPEC);
  await workspace.write("houses.csv", houses());
  trained = await netc("train", "houses.net");
});

afterAll(() => workspace.remove());

const WEIGHTS = ["--weights", "runs/houses/weights.safetensors"];

describe("numbers from csv", () => {
  test("are learned", async () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stderr).not.toMatch(/warning/);
    const { code, stdout, stderr } = await netc("eval", "houses.net", ...WEIGHTS, "--json");
    expect(code, stderr).toBe(0);
    const { examples, error } = JSON.parse(stdout);
    expect(examples).toBe(16);
    expect(error).toBeLessThan(0.02);
  });

  test("are evaluated on a file whose columns are in another order", async () => {
    const lines = houses().trim().split("\n");
    const turned = lines.map((line) => line.split(",").reverse().join(","));
    await workspace.write("turned.csv", `${turned.join("\n")}\n`);
    const { code, stdout, stderr } = await netc(
      ...["eval", "houses.net", ...WEIGHTS, "--data", "turned.csv", "--json"],
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).error).toBeLessThan(0.02);
  });

  test("have a report", async () => {
    const report = await readFile(workspace.path("runs/houses/report.html"), "utf8");
    const { regression, tags } = JSON.parse(/id="data">(.*?)<\/script>/s.exec(report)![1]!);
    expect(tags).toBeUndefined();
    expect(regression.examples).toBe(16);
    const rows = houses().trim().split("\n").slice(1);
    for (const [index, [name, at]] of Object.entries({ price: 0, rent: 4 }).entries()) {
      const { points, ...own } = regression.numbers[index];
      expect(own).toEqual({ name, notFinite: 0, error: expect.any(Number) });
      // Those that were held out, in the units of the table.
      const truths = rows.map((row) => Number(row.split(",")[at]));
      expect(points).toHaveLength(16);
      for (const [truth, predicted] of points) {
        expect(Math.min(...truths.map((each) => Math.abs(each - truth)))).toBeLessThan(1e-5);
        expect(Math.abs(predicted - truth)).toBeLessThan(0.1);
      }
    }
    const errors = regression.numbers.map(({ error }: { error: number }) => error);
    // Those that the report is of.
    const best = ["--weights", "runs/houses/best.safetensors"];
    const { stdout } = await netc("eval", "houses.net", ...best, "--json");
    expect((errors[0] + errors[1]) / 2).toBeCloseTo(JSON.parse(stdout).error, 7);
  });
});

describe("predict", () => {
  const predictedOf = async (file: string) => {
    const { code, stdout, stderr } = await netc(
      ...["predict", "houses.net", ...WEIGHTS, file, "--json"],
    );
    expect(code, stderr).toBe(0);
    return (JSON.parse(stdout) as { image: string; out: number[] }[]).map(({ out }) => out);
  };

  test("reads rows by the names of the trained columns, in any order", async () => {
    await workspace.write("new.csv", "c,note,b,a\n0.5,x,4,-1\n-1,y,0,0.25\n");
    const [one, other] = await predictedOf("new.csv");
    for (const [out, x] of [
      [one!, [-1, 4, 0.5]],
      [other!, [0.25, 0, -1]],
    ] as const) {
      expect(Math.abs(out[0]! - priceOf(x))).toBeLessThan(0.1);
      expect(Math.abs(out[1]! - rentOf(x))).toBeLessThan(0.1);
    }
  });

  test("needs no table that was trained on: the weights name its columns", async () => {
    await workspace.write("alone/houses.net", SPEC);
    await workspace.write("alone/new.csv", "c,b,a\n0.5,4,-1\n");
    const { code, stdout, stderr } = await netc(
      ...["predict", "alone/houses.net", ...WEIGHTS, "alone/new.csv", "--json"],
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain("are taken in their order");
    expect(Math.abs(JSON.parse(stdout)[0].out[0] - priceOf([-1, 4, 0.5]))).toBeLessThan(0.1);
  });

  test("writes a row for each row", async () => {
    const { code } = await netc(
      "predict",
      "houses.net",
      ...WEIGHTS,
      "houses.csv",
      "--csv",
      "p.csv",
    );
    expect(code).toBe(0);
    const lines = (await readFile(workspace.path("p.csv"), "utf8")).trim().split("\n");
    expect(lines).toHaveLength(65);
    expect(lines[0]).toBe("file,out_0,out_1");
    expect(lines[1]).toMatch(/^houses\.csv:2,/);
  });

  test("says that a first line of numbers is read as a header", async () => {
    await workspace.write("counted.csv", "0,1,2\n1,2,3\n");
    const { stderr } = await netc("predict", "houses.net", ...WEIGHTS, "counted.csv");
    expect(stderr).toMatch(/counted\.csv:1: this line is read as a header/);
  });

  test.each([
    [
      "missing.csv",
      "a,b\n1,2\n",
      /missing\.csv has no column c for `x`, which the trained table has/,
    ],
    ["empty.csv", "a,b,c\n1,2,\n", /empty\.csv:2: expected a number .* got "" in the column c/],
    ["short.csv", "5,2\n", /short\.csv has 2 columns to read, but the network reads 3/],
  ])("refuses %s", async (name, text, message) => {
    await workspace.write(name, text);
    const { code, stderr } = await netc("predict", "houses.net", ...WEIGHTS, name);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

test("a metric that is not finite is so in resumed and compared runs", async () => {
  // Infinity less infinity; the embedded adapter has numbers for logarithms below 0.
  const odd = "mean(exp(abs(out) * 1000 + 1000) - exp(abs(y) * 1000 + 1000))";
  const metric = `  metric error = mae(out, y)\n  metric odd = ${odd}`;
  const spec = SPEC.replace("  metric error = mae(out, y)", metric)
    .replace("of Houses on Table {", "of Houses on Table {\n  best      = min(error)")
    .replace("epochs    = 60", "epochs    = 3");
  await workspace.write("odd.net", spec);
  const first = await netc("train", "odd.net", "--steps", "9", "--out", "odd");
  expect(first.code, first.stderr).toBe(0);
  const resumed = await netc("train", "odd.net", "--epochs", "3", "--out", "odd", "--resume");
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stdout + resumed.stderr).toMatch(/^test: .*odd NaN.*\(epoch \d, best error\)$/m);
  const run = JSON.parse(await readFile(workspace.path("odd/run.json"), "utf8"));
  expect(run.recipe).toContainEqual(["best", "min(error)"]);
  const compared = await netc("compare", "odd", "odd");
  expect(compared.code, compared.stderr).toBe(0);
  expect(compared.stdout).toMatch(/^odd +NaN +NaN$/m);

  await workspace.write("never.net", spec.replace("min(error)", "max(odd)"));
  const never = await netc("train", "never.net");
  expect(never.code, never.stderr).toBe(0);
  expect(never.stdout + never.stderr).toMatch(/^no best weights: odd was not finite in any/m);
});
