/** `netc import` of small models as other tools wrote them, with the built command. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { netc as run, root } from "./netc.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "netc-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const netc = (...args: readonly string[]) => run(args, { cwd: folder });

const models = join(root, "test", "fixtures", "models");

const argumentsOf = (name: string): readonly string[] => {
  const text = readFileSync(join(models, name, "case.json"), "utf8");
  const { args } = JSON.parse(text) as { readonly args: readonly string[] };
  return args.map((arg) => join(models, name, arg));
};

test.each([
  "keras-2-h5",
  "keras-3-keras",
  "tfjs-flatten",
  "tfjs-depthwise-quantised",
  "caffe-lenet-lrn",
  "caffe-residual-batchnorm",
])("%s: a spec that checks, and a network that agrees with the model", async (name) => {
  const args = argumentsOf(name);
  const outcome = await netc("import", ...args, "-o", name, "--check", "2");
  expect(outcome.stderr).toContain("largest difference from the model on 2 random inputs");
  expect(outcome.code).toBe(0);
  const stem = join(folder, name, basename(args[0]!, extname(args[0]!)));
  expect(existsSync(`${stem}.safetensors`)).toBe(true);
  const checked = await netc("check", `${stem}.net`);
  expect(checked.code).toBe(0);
});

test("an existing model stays without --overwrite", async () => {
  const args = argumentsOf("tfjs-flatten");
  expect((await netc("import", ...args, "-o", "again")).code).toBe(0);
  const refused = await netc("import", ...args, "-o", "again");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("--overwrite replaces them");
  expect((await netc("import", ...args, "-o", "again", "--overwrite")).code).toBe(0);
});
