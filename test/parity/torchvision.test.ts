import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { sampled } from "../adapters.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected, readSpec } from "./harness.js";

/** A network of torchvision with hashed weights, and its logits for two images. */
interface Case {
  readonly name: string;
  readonly parameters: number;
  /** Weights and running statistics. */
  readonly tensors: number;
  readonly logits: Summary;
  /** Of one square image whose pixels are classified; two images of 224x224 if absent. */
  readonly size?: number;
}

/** 1e-4 of the logits' norm, less what a sketch may hide. */
const TOLERANCE = 0.8e-4;

const cases = [
  ...readExpected<readonly Case[]>("torchvision"),
  ...readExpected<readonly Case[]>("torchvision-transformers"),
  ...readExpected<readonly Case[]>("torchvision-segmentation"),
];
const full = process.env.NETC_TEST_FULL === "1";
/** Small enough for every test run. */
const QUICK = sampled(["squeezenet1_1", "resnet18"], 2);

async function openNetwork({ name, size }: Case): Promise<Network> {
  const text = readSpec(name);
  // The data is cropped to the size of the spec.
  const sized = text.replace(/size: int = \d+/, `size: int = ${size}`).replace(/^data [^]*/m, "");
  const { programs, diagnostics } = compile(size ? sized : text, { file: `${name}.net` });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return createNetwork(programs, { batch: size ? 1 : 2 });
}

/** torchvision's names differ, its order of layers does not: weights are keyed by their place. */
async function writeWeights(network: Network, { name }: Case): Promise<void> {
  for (const [index, parameter] of network.parameters.entries()) {
    const kind = parameter.name.split(".").at(-1)!;
    await network.write(
      parameter.name,
      parameterValues(`${name}/${index}.${kind}`, parameter.shape),
    );
  }
}

describe("logits as torchvision's", () => {
  const chosen = cases.filter(({ name }) => full || QUICK.includes(name));
  test.each(chosen)("$name", { timeout: 600_000 }, async (expected) => {
    const network = await openNetwork(expected);
    try {
      expect(network.parameters).toHaveLength(expected.tensors);
      await writeWeights(network, expected);
      const { name, size } = expected;
      const pixels = size ? size ** 2 : 2 * 224 ** 2;
      const logits = await network.predict(uniformValues(`${name}/images`, 3 * pixels, 1));
      const error = relativeError(logits, expected.logits);
      console.log(`${expected.name}: ${error.toExponential(1)}`);
      expect(error).toBeLessThan(TOLERANCE);
    } finally {
      network.destroy();
    }
  });
});
