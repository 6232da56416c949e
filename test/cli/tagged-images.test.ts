/** Tags and numbers of images, which a csv file names, with the built command. */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, stripe, type Workspace } from "./fixtures.js";
import { netc as run, type Outcome } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

/** Each picture is bright above or below; its share is how bright. */
const SPEC = `model Marks {
  input  image: f32[N, 1, 8, 8]
  target tags: f32[N, 2]
  target share: f32[N, 1]

  flatten -> linear(16) -> relu as code
  linear(2) as logits
  from code -> linear(1) as shares

  loss   bce_with_logits(logits, tags) + mse(shares, share)
  metric right = binary_accuracy(logits, tags)
  metric off = mae(shares, share)
  output logits, shares
}

data Table for Marks {
  train csv("train.csv", files="file", tags=["above", "below"], share="share")
  eval  csv("eval.csv", files="file", tags=["above", "below"], share="share")
}

train Base of Marks on Table {
  epochs    = 12
  batch     = 8
  optimizer = adam(lr=0.01)
  seed      = 1
}
`;

/** The same without the number. */
const TAGS = SPEC.replace(" + mse(shares, share)", "")
  .replaceAll(', share="share"', "")
  .replace(/^.*\bshares?\b.*\n/gm, "")
  .replaceAll("Marks", "Tags");

async function writeTable(name: string, start: number, count: number): Promise<void> {
  const rows = ["share,below,file,above"];
  for (let index = start; index < start + count; index++) {
    const side = index % 2 === 0 ? "above" : "below";
    await workspace.write(`photos/${index}.png`, await stripe(side, index));
    const below = side === "below" ? 1 : 0;
    rows.push(`${0.25 + below / 2},${below},photos/${index}.png,${1 - below}`);
  }
  await workspace.write(name, `${rows.join("\n")}\n`);
}

let trained: Outcome;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("marks.net", SPEC);
  await writeTable("train.csv", 0, 32);
  await writeTable("eval.csv", 32, 9);
  await workspace.write("photos/40.png", "no image");
  trained = await netc("train", "marks.net");
});

afterAll(() => workspace.remove());

const WEIGHTS = ["--weights", "runs/marks/weights.safetensors"];

test("images learn the tags and the number of their rows, as eval says", async () => {
  expect(trained.code, trained.stderr).toBe(0);
  const out = await netc("eval", "marks.net", ...WEIGHTS, "--csv", "out.csv", "--json");
  expect(out.code, out.stderr).toBe(0);
  const found = JSON.parse(out.stdout) as { examples: number; right: number; tags: object[] };
  expect(found).toMatchObject({ examples: 8, right: 1 });
  expect(found.tags).toMatchObject([
    { name: "above", support: 4, recall: 1 },
    { name: "below", support: 4, recall: 1 },
  ]);
  const lines = (await readFile(workspace.path("out.csv"), "utf8")).trim().split("\n");
  expect(lines[0]).toBe(
    "file,above,below,probability_above,probability_below,share,predicted_share",
  );
  expect(lines).toHaveLength(9);
  for (const [index, line] of lines.slice(1).entries()) {
    const [file, above, below, ...rest] = line.split(",");
    const [likelyAbove, likelyBelow, share, predicted] = rest.map(Number);
    expect(file).toMatch(new RegExp(`photos/${32 + index}\\.png$`));
    expect([above, below]).toEqual(index % 2 === 0 ? ["1", "0"] : ["0", "1"]);
    expect([likelyAbove! > 0.5, likelyBelow! > 0.5]).toEqual([index % 2 === 0, index % 2 === 1]);
    expect(Math.abs(predicted! - share!)).toBeLessThan(0.25);
  }
});

test("predict shows each output of an image", async () => {
  const { code, stdout, stderr } = await netc("predict", "marks.net", ...WEIGHTS, "photos/33.png");
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^photos\/33\.png\n {2}logits +below [\d.]+% .*\n {2}shares +0\.\d+\n$/);
});

test("tags are written below copies of images, and a stopped run resumes", async () => {
  await workspace.write("tags.net", TAGS);
  const whole = await netc("train", "tags.net", "--out", "whole");
  expect(whole.code, whole.stderr).toBe(0);
  for (const flags of [["--steps", "21"], ["--resume"]]) {
    const part = await netc("train", "tags.net", "--out", "halves", ...flags);
    expect(part.code, part.stderr).toBe(0);
  }
  const weightsOf = (run: string) => readFile(workspace.path(run, "weights.safetensors"));
  expect((await weightsOf("halves")).equals(await weightsOf("whole"))).toBe(true);
  const flags = ["--weights", "whole/weights.safetensors", "--annotate", "named", "--json"];
  const { stdout, code, stderr } = await netc("predict", "tags.net", "photos/34.png", ...flags);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)[0].tags[0]).toMatchObject({ name: "above" });
  const copy = await sharp(workspace.path("named/photos/34.png")).metadata();
  expect(copy.height).toBeGreaterThan(256 + 2 * 20);
});

test("missing files are said, with the line and where they are looked for", async () => {
  await workspace.write("gone.csv", "share,below,file,above\n0.5,0,pics/a.png,1\n");
  const { code, stderr } = await netc("eval", "marks.net", ...WEIGHTS, "--data", "gone.csv");
  expect(code).toBe(1);
  expect(stderr).toContain("gone.csv:2: pics/a.png");
  expect(stderr).toMatch(/help: paths are relative to .*, the folder of the table/);
});
