/** The example with a class for each token, with the built command. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as runCommand, root } from "./netc.js";

const example = join(root, "examples/tokens");
let workspace: Workspace;

const netc = (...args: readonly string[]) => runCommand(args, { cwd: workspace.folder });

/** Of the rows that the model is asked for, what follows. */
const PERIODS = [
  [1, 2, 3, 4],
  [9, 0, 0, 5],
];
const rowOf = (period: readonly number[], first: number) =>
  Array.from({ length: 12 }, (_, place) => period[(first + place) % 4]!);

beforeAll(async () => {
  workspace = await makeWorkspace();
  const text = await readFile(join(example, "periods.net"), "utf8");
  await workspace.write("periods.net", text);
  await workspace.write("known.net", text.replace(", ignore=99", ""));
  execFileSync(process.execPath, [
    join(example, "make-periods.mjs"),
    join(workspace.folder, "periods.csv"),
  ]);
  const names = Array.from({ length: 12 }, (_, place) => `t${place}`).join(",");
  const rows = PERIODS.map((period) => rowOf(period, 0).join(","));
  await workspace.write("rows.csv", `${[names, ...rows].join("\n")}\n`);
});

afterAll(() => workspace.remove());

let run: ReturnType<typeof netc> | undefined;
const training = () => (run ??= netc("train", "periods.net", "--out", "run"));

test("a language model learns, is evaluated, and predicts the token after each", async () => {
  const trained = await training();
  expect(trained.stderr).not.toMatch(/error|warning\[/);
  expect(trained.code).toBe(0);
  const weights = ["--weights", "run/best.safetensors"];

  const evaluated = await netc("eval", "periods.net", ...weights, "--json");
  const { examples, right } = JSON.parse(evaluated.stdout) as { readonly [name in string]: number };
  expect(examples).toBe(200);
  expect(right).toBeGreaterThan(0.99);

  // What follows the first three is a guess.
  const wanted = PERIODS.map((period) => rowOf(period, 1).slice(3));
  const predict = ["predict", "periods.net", ...weights, "rows.csv"];
  const shown = await netc(...predict);
  const [first, tokens] = shown.stdout.split("\n");
  expect(first).toMatch(/rows\.csv:2$/);
  expect(tokens!.trim().split(" ").slice(3).map(Number)).toEqual(wanted[0]);
  const listed = JSON.parse((await netc(...predict, "--json")).stdout) as readonly {
    readonly classes: readonly { readonly index: number; readonly probability: number }[];
  }[];
  expect(listed.map(({ classes }) => classes.slice(3).map(({ index }) => index))).toEqual(wanted);
  expect(listed[0]!.classes[8]!.probability).toBeGreaterThan(0.9);
  await netc(...predict, "--csv", "out.csv");
  const written = await readFile(join(workspace.folder, "out.csv"), "utf8");
  expect(written.split("\n")[0]).toContain("file,token_0,token_1");
  expect(written.split("\n")[2]!.split(",").slice(4).map(Number)).toEqual(wanted[1]);

  const show = ["show", "periods.net", ...weights, "rows.csv"];
  await netc(...show, "-o", "rows.html", "--top", "2");
  const page = await readFile(join(workspace.folder, "rows.html"), "utf8");
  const cells = [...page.matchAll(/<li title="([^"]*)"[^>]*><small>(\d)<\/small><b>(\d)</g)];
  expect(cells.map(([, , read]) => Number(read))).toEqual(
    PERIODS.flatMap((period) => rowOf(period, 0)),
  );
  const told = cells.map(([, , , best]) => Number(best));
  expect([told.slice(3, 12), told.slice(15)]).toEqual(wanted);
  expect(cells[3]![1]!.split("\n")).toHaveLength(2);
  expect(page).not.toMatch(/<script|https?:/);
  const mapped = await netc(...show, "--layer", "logits");
  expect([mapped.code, mapped.stderr]).toEqual([1, expect.stringContaining("--layer is for")]);
});

test("evaluations judge each token that counts, and list it", async () => {
  await training();
  const evaluate = ["eval", "periods.net", "--weights", "run/best.safetensors"];
  const { stdout } = await netc(...evaluate, "--csv", "judged.csv", "--json");
  const { tokens, classes } = JSON.parse(stdout) as {
    readonly tokens: object;
    readonly classes: readonly { readonly support: number }[];
  };
  expect(tokens).toEqual({ counted: 1800, ignored: 600 });
  expect(classes.reduce((sum, { support }) => sum + support, 0)).toBe(1800);

  const judged = await readFile(join(workspace.folder, "judged.csv"), "utf8");
  const [header, ...rows] = judged.trim().split("\n");
  expect(header).toBe("file,token,label,prediction,probability,probability_of_label");
  expect(rows).toHaveLength(1800);
  // Of each row of the table the tokens from the third on.
  const places = rows.slice(-9).map((row) => Number(row.split(",")[1]));
  expect(places).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const table = (await readFile(join(workspace.folder, "periods.csv"), "utf8")).split("\n");
  for (const row of rows) {
    const [file, token, label, prediction, probability, ofLabel] = row.split(",");
    const line = table[Number(file!.split(":").at(-1)) - 1]!.split(",");
    expect(label).toBe(line[12 + Number(token)]);
    expect(label === prediction).toBe(probability === ofLabel);
  }
});

test("a label that is not a class says its cell, and what is ignored", async () => {
  const { code, stderr } = await netc("train", "known.net", "--out", "no-run");
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /periods\.csv:2: "99" in the column n0 is not one of `next`: expected an integer from 0 to 9/,
  );
  expect(stderr).toContain("ignore=99");
});

test("cells may say names of classes, which predictions give", async () => {
  const spec = `model Tags {
  input  words: u32[N, 4] in 0..5
  target tags: u32[N, 4] in 0..3
  embedding(8) -> linear(3) as logits
  loss   cross_entropy(logits, tags, ignore=255)
  metric right = accuracy(logits, tags)
}
data Rows for Tags {
  train csv("tags.csv", tags="y*", classes=["none", "name", "place"])
  eval  csv("tags.csv", tags="y*", classes=["none", "name", "place"])
}
train Base of Tags on Rows {
  epochs    = 30
  batch     = 16
  optimizer = adam(lr=0.05)
}
`;
  const names = ["none", "name", "place"];
  const rows = Array.from({ length: 64 }, (_, row) => {
    const words = [0, 1, 2, 3].map((place) => (row * 3 + place * (row + 2)) % 5);
    return [...words, ...words.map((word) => (word === 4 ? 255 : names[word % 3]))].join(",");
  });
  await workspace.write("tags.net", spec);
  await workspace.write("tags.csv", ["w0,w1,w2,w3,y0,y1,y2,y3", ...rows].join("\n"));
  await workspace.write("some.csv", "w0,w1,w2,w3\n0,1,2,3\n");
  const trained = await netc("train", "tags.net", "--out", "tags");
  expect(trained.stderr).not.toMatch(/error|warning\[/);
  const weights = ["--weights", "tags/best.safetensors"];
  const { stdout } = await netc("predict", "tags.net", ...weights, "some.csv");
  expect(stdout).toContain("none name place none");

  await workspace.write(
    "tags.csv",
    ["w0,w1,w2,w3,y0,y1,y2,y3", "0,1,2,3,none,nme,none,255"].join("\n"),
  );
  const wrong = await netc("train", "tags.net", "--out", "wrong");
  expect(wrong.stderr).toMatch(/"nme" in the column y1 is not one of `tags`: expected none, name,/);
});
