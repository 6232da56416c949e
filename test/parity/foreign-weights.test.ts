/** Weights of other programs, by the command line's reader, and what the networks then say. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadWeights, readWeights } from "../../cli/weights.js";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { serializeTensors } from "../../runtime/safetensors.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected, readSpec } from "./harness.js";

const models = new URL("../fixtures/models/", import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), "netc-weights-"));
afterAll(() => rm(folder, { recursive: true }));

async function openSpec(text: string, batch: number): Promise<Network> {
  const { programs } = compile(text, { file: "network.net" });
  return createNetwork(programs, { batch });
}

async function logitsOf(network: Network, weights: string, input: Float32Array) {
  try {
    await loadWeights(network, await readWeights(weights, network.parameters));
    return await network.predict(input);
  } finally {
    network.destroy();
  }
}

describe("cases of other programs", () => {
  test.each([
    "pytorch-zip-module",
    "pytorch-legacy-half",
    "safetensors-sorted",
    "safetensors-bfloat16",
  ])("%s", async (name) => {
    const file = (part: string) => join(models, name, part);
    const floats = async (part: string) => {
      const bytes = await readFile(file(part));
      return new Float32Array(new Uint8Array(bytes).buffer);
    };
    const { args, tolerance } = JSON.parse(await readFile(file("case.json"), "utf8")) as {
      readonly args: readonly [string, string];
      readonly tolerance: number;
    };
    const network = await openSpec(await readFile(file(args[0]), "utf8"), 2);
    const logits = await logitsOf(network, file(args[1]), await floats("input.f32"));
    const expected = await floats("expected.f32");
    const norm = (values: Float32Array) => Math.hypot(...values);
    const error = norm(logits.map((value, index) => value - expected[index]!)) / norm(expected);
    console.log(`${name}: ${error.toExponential(1)}`);
    expect(error).toBeLessThan(tolerance);
  });
});

interface Case {
  readonly name: string;
  readonly logits: Summary;
}

/** 1e-4 of the logits' norm, less what a sketch may hide. */
const TOLERANCE = 0.8e-4;
const IMAGE = 3 * 224 * 224;
const cases = readExpected<readonly Case[]>("torchvision");

async function errorOf({ name, logits: expected }: Case, weights: string): Promise<number> {
  const network = await openSpec(readSpec(name), 2);
  const images = uniformValues(`${name}/images`, 2 * IMAGE, 1);
  return relativeError(await logitsOf(network, weights, images), expected);
}

test("squeezenet1_1 from a safetensors file with torchvision's names, sorted", async () => {
  const found = cases.find(({ name }) => name === "squeezenet1_1")!;
  const layers = readExpected<Record<string, string>>("torchvision-names")[found.name]!.split(" ");
  const { program } = compile(readSpec(found.name), { file: "squeezenet.net" });
  const tensors = program!.parameters.map(({ name, shape }, index) => {
    const kind = name.split(".").at(-1)!;
    const values = parameterValues(`${found.name}/${index}.${kind}`, shape);
    return { name: `${layers[Math.floor(index / 2)]!}.${kind}`, shape, values };
  });
  const path = join(folder, "squeezenet.safetensors");
  await writeFile(path, serializeTensors(tensors.sort((a, b) => (a.name < b.name ? -1 : 1))));
  expect(await errorOf(found, path)).toBeLessThan(TOLERANCE);
});

// What torchvision itself writes, which needs PyTorch: Debian's python3-torchvision.
describe.runIf(process.env.NETC_TEST_FULL === "1")("state_dicts of torchvision", () => {
  test.each(cases)("$name", { timeout: 600_000 }, async (found) => {
    const path = join(folder, `${found.name}.pth`);
    const script = new URL("../oracle/make_expected.py", import.meta.url).pathname;
    execFileSync("/usr/bin/python3", [script, "save", found.name, path]);
    const error = await errorOf(found, path);
    console.log(`${found.name}: ${error.toExponential(1)}`);
    expect(error).toBeLessThan(TOLERANCE);
    await rm(path);
  });
});
