/** Runs a spec as test/oracle/make_expected.py ran the same network in PyTorch, and measures how far apart they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

/** One case of test/oracle/expected. */
export interface Expected {
  /** Key of the hashed weights and labels; `images` that of the images. */
  readonly name: string;
  readonly images: string;
  readonly imageShape: readonly number[];
  readonly batch: number;
  readonly classes: number;
  readonly optimizer: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly weightDecay: number;
  };
  /** Before each step. */
  readonly losses: readonly number[];
  readonly logits: Summary;
  /** Of the first step, by parameter. */
  readonly gradients: Readonly<Record<string, Summary>>;
  /** After all steps. */
  readonly weights: Readonly<Record<string, Summary>>;
}

/** How far a tensor is from PyTorch's, relative to its norm. */
export interface Difference {
  readonly tensor: string;
  readonly error: number;
}

export function readExpected<Content>(name: string): Content {
  const path = join(import.meta.dirname, "../oracle/expected", `${name}.json`);
  return JSON.parse(readFileSync(path, "utf8")) as Content;
}

export function readSpec(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../specs", `${name}.net`), "utf8");
}

/** A network from a spec, without dropout, that keeps its gradients and starts from the case's weights. */
async function openNetwork(spec: string, expected: Expected): Promise<Network> {
  const text = spec.replaceAll(/dropout\([^)]*\)/g, "dropout(0)");
  const { programs, diagnostics } = compile(text, { file: "parity.net", keepGradients: true });
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join("\n"));
  const network = await createNetwork(programs, { batch: expected.batch, ...expected.optimizer });
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`${expected.name}/${name}`, shape));
  }
  return network;
}

/**
 * Compares logits, loss, gradients and the weights after the case's steps. The first loss stands for all that follow: later
 * ones are compared through the weights.
 */
export async function compareWithPyTorch(spec: string, expected: Expected): Promise<Difference[]> {
  const network = await openNetwork(spec, expected);
  try {
    const pixels = expected.imageShape.reduce((product, size) => product * size, expected.batch);
    const images = uniformValues(expected.images, pixels, 1);
    const labels = labelValues(`${expected.name}/labels`, expected.batch, expected.classes);
    const differences: Difference[] = [];
    const compare = (tensor: string, actual: ArrayLike<number>, summary: Summary | undefined) => {
      if (!summary) throw new Error(`PyTorch's network has no ${tensor}`);
      differences.push({ tensor, error: relativeError(actual, summary) });
    };

    compare("logits", await network.predict(images), expected.logits);
    for (const [step, expectedLoss] of expected.losses.entries()) {
      const { loss } = await network.step(images, labels);
      const error = Math.abs(loss! - expectedLoss) / Math.max(Math.abs(expectedLoss), 1e-2);
      differences.push({ tensor: `loss of step ${step + 1}`, error });
      if (step > 0) continue;
      for (const { name } of network.parameters) {
        const gradient = await network.read(name, { of: "gradient" });
        compare(`gradient of ${name}`, gradient, expected.gradients[name]);
      }
    }
    for (const { name } of network.parameters) {
      compare(`${name} after training`, await network.read(name), expected.weights[name]);
    }
    return differences;
  } finally {
    network.destroy();
  }
}

/** The largest differences, as text: what a failing test shows, and a passing one may print. */
export function worst(differences: readonly Difference[], count = 3): string {
  return [...differences]
    .sort((a, b) => (a.error >= b.error ? -1 : 1))
    .slice(0, count)
    .map(({ tensor, error }) => `${tensor}: ${error.toExponential(1)}`)
    .join(", ");
}
