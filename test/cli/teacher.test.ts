/** Distillation from the command line: train, resume, evaluate, and teachers that do not fit. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTensors } from "../../runtime/index.js";
import { makeWorkspace, STRIPES, writeStripes, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

const BIG = `conv(4, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2)
    flatten -> linear(classes) as logits`;

const TEACHER = STRIPES.replace(/features \{[^]*? as logits/, BIG);

const LOSS = "loss   cross_entropy(logits, label)";

const studentOf = (settings: string, section = "big") => {
  const teacher = `${section} {\n    ${BIG}\n  }\n  from image -> identity\n  features {`;
  const loss =
    "loss 0.3 * cross_entropy(logits, label) + " +
    `0.7 * kl(logits, ${section}.logits, temperature=4)`;
  const text = STRIPES.replace("features {", teacher).replace(LOSS, loss);
  return text.replace("seed      = 1", `seed = 1\n  ${settings}`);
};

const LOAD = 'teacher = load("teacher/weights.safetensors", into=big)';

let workspace: Workspace;
const run = (...args: string[]) => netc(args, { cwd: workspace.folder });
const tensorsOf = async (file: string) =>
  parseTensors(new Uint8Array(await readFile(workspace.path(file)))).tensors;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  await workspace.write("teacher.net", TEACHER);
  const { code, stderr } = await run("train", "teacher.net", "--out", "teacher");
  expect(stderr).toContain("training Stripes");
  expect(code).toBe(0);
});

afterAll(() => workspace.remove());

describe("a student", () => {
  test.each([
    ["in 32 bits", ""],
    ["in 16 bits, averaged", "precision = f16\n  average = ema(0.9)"],
  ])("%s learns, resumes as if it had not stopped, and is evaluated", async (name, settings) => {
    await workspace.write("student.net", studentOf(`${LOAD}\n  ${settings}`));
    const folders = [`${name} whole`, `${name} parts`] as const;
    const [whole, parts] = folders;
    const trained = await run("train", "student.net", "--out", whole);
    expect(trained.stderr).toContain("by renamed");
    expect(trained.code).toBe(0);
    expect((await run("train", "student.net", "--out", parts, "--steps", "7")).code).toBe(0);
    const resumed = await run("train", "student.net", "--out", parts, "--resume");
    expect(resumed.code).toBe(0);
    const [one, other] = await Promise.all(
      folders.map((folder) => tensorsOf(`${folder}/weights.safetensors`)),
    );
    expect([...one!.keys()].filter((key) => key.startsWith("big"))).toEqual([]);
    expect(other).toEqual(one);
    const flags = ["--weights", `${whole}/best.safetensors`, "--json"];
    const evaluated = JSON.parse((await run("eval", "student.net", ...flags)).stdout);
    expect(evaluated.top1).toBeGreaterThan(0.5);
  });
});

test.each([
  ["nowhere.safetensors", "big", "train the teacher first"],
  ["teacher/weights.safetensors", "other", "`other` of the model has no such weight"],
])("a teacher that does not fit: %s into %s", async (file, section, message) => {
  const own = section === "big" ? BIG : BIG.replace("batchnorm -> ", "");
  const text = studentOf(`teacher = load("${file}", into=${section})`, section).replace(BIG, own);
  await workspace.write("wrong.net", text);
  const { code, stderr } = await run("train", "wrong.net", "--out", "wrong");
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});
