import { imageOf } from "../../program/tensors.js";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { largestSlice } from "../../program/slices.js";
import { partOf, slicesOf } from "../../runtime/slices.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { readSpec } from "../parity/harness.js";
import { TRANSFORMER } from "./transformer.js";
import { sampled } from "../adapters.js";

test("slices are as even as can be, and cover a call's images in order", () => {
  expect(slicesOf(125, { most: 32 }).map(({ count }) => count)).toEqual([32, 32, 32, 29]);
  expect(slicesOf(100, { most: 32 }).map(({ count }) => count)).toEqual([25, 25, 25, 25]);
  expect(slicesOf(5, { most: 32 })).toEqual([{ first: 0, count: 5 }]);
  expect(slicesOf(5, { most: 32, atLeast: 9 })).toHaveLength(5);
  for (let images = 1; images < 70; images++) {
    for (const most of [1, 2, 7, 64]) {
      const slices = slicesOf(images, { most, atLeast: 3 });
      let next = 0;
      for (const { first, count } of slices) {
        expect(first).toBe(next);
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(most);
        next += count;
      }
      expect(next).toBe(images);
    }
  }
});

test("a slice's part of the values is its images'", () => {
  const values = Float32Array.from([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  expect([...partOf(values, { first: 3, count: 2 }, 5)]).toEqual([3, 3, 4, 4]);
});

test("the largest slice is the largest that the device can bind", () => {
  const buffers = [90, 99].map((perImage) => ({
    name: "x",
    purpose: "scratch" as const,
    bytes: { fixed: 100, perImage },
  }));
  expect(largestSlice(buffers, 8, 1000)).toBe(8);
  expect(largestSlice(buffers, 128, 1000)).toBe(9);
  // What only small slices bind counts where slices are small.
  const ofSmall = { bytes: { fixed: 0, perImage: 200 }, largestBatch: 20 };
  expect(largestSlice([...buffers, ofSmall], 128, 1000)).toBe(5);
  expect(largestSlice([...buffers, ofSmall], 9, 2000)).toBe(9);
  expect(largestSlice(buffers, 128, 120)).toBe(0);
});

const SETTINGS = {
  "sgd, which takes slices as they come": "sgd(lr=0.05, momentum=0.9, weight_decay=5e-4)",
  "the paper's sgd": "sgd(lr=0.05, momentum=0.9, weight_decay=5e-4, convention=caffe)",
  nesterov: "sgd(lr=0.05, momentum=0.9, nesterov=true)",
  adam: "adam(lr=1e-3, weight_decay=1e-4)",
  "adam, clipped": "adam(lr=1e-3)\n  clip_norm = 0.5",
};

const DROPPED = "dropout(0.2) -> dropout(0.2, channels=true) -> stochastic_depth(0.2)";

/** The spec's model with dropout behind its first activation, and a recipe with the optimizer. */
function specOf(name: string, optimizer: string): string {
  const model = (name === "transformer" ? TRANSFORMER : readSpec(name)).replace(
    /^train [\s\S]*/m,
    "",
  );
  const [, declared] = /model (\w+)/.exec(model)!;
  const withDropout = model.replace("relu", `relu -> ${DROPPED}`);
  expect(withDropout).not.toBe(model);
  return (
    `${withDropout}\ntrain Sliced of ${declared} {\n  epochs = 1\n` +
    `  batch = 13\n  optimizer = ${optimizer}\n}\n`
  );
}

interface Trained {
  readonly losses: readonly number[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly prediction: Float32Array;
  readonly evaluated: number;
}

const IMAGES = 13;

async function train(
  spec: string,
  options: { readonly batch: number; readonly accumulate?: number },
): Promise<Trained> {
  const { programs, diagnostics } = compile(spec, { file: "sliced.net", train: "Sliced" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network: Network = await createNetwork(programs, { ...options, seed: 3 });
  try {
    const { channels, height, width } = imageOf(network.program);
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) {
      const images = uniformValues(`images ${step}`, IMAGES * channels * height * width, 1);
      const labels = labelValues(`labels ${step}`, IMAGES, 10);
      losses.push((await network.step(images, labels))["loss"]!);
    }
    const images = uniformValues("images", IMAGES * channels * height * width, 1);
    const weights = new Map<string, Float32Array>();
    for (const { name } of network.parameters) weights.set(name, await network.read(name));
    const { loss } = await network.evaluate(images, labelValues("labels", IMAGES, 10));
    return { losses, weights, prediction: await network.predict(images), evaluated: loss! };
  } finally {
    network.destroy();
  }
}

function distance(actual: Float32Array, expected: Float32Array): number {
  expect(actual).toHaveLength(expected.length);
  let [difference, norm] = [0, 0];
  expected.forEach((value, index) => {
    difference += (actual[index]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** Sums in another order differ by rounding, which three steps of training enlarge. */
const TOLERANCE = 2e-5;

const slicedCases = [
  ...Object.entries(SETTINGS).map(([title, optimizer]) => ({ spec: "digits", title, optimizer })),
  { spec: "cifar10-quick", title: "sgd", optimizer: "sgd(lr=1e-4, momentum=0.9)" },
  { spec: "transformer", title: "sgd", optimizer: "sgd(lr=1e-2, momentum=0.9)" },
];

test.for(sampled(slicedCases, 6))(
  "$spec in slices as in one piece: $title",
  async ({ spec, optimizer }) => {
    const text = specOf(spec, optimizer);
    const whole = await train(text, { batch: IMAGES });
    // 13 images: slices of 4, 4, 4 and 1.
    const sliced = await train(text, { batch: IMAGES, accumulate: 4 });
    sliced.losses.forEach((loss, step) =>
      expect(Math.abs(loss - whole.losses[step]!)).toBeLessThan(TOLERANCE * whole.losses[step]!),
    );
    for (const [name, values] of whole.weights)
      expect(distance(sliced.weights.get(name)!, values), name).toBeLessThan(TOLERANCE);
    expect(distance(sliced.prediction, whole.prediction)).toBeLessThan(TOLERANCE);
    expect(Math.abs(sliced.evaluated - whole.evaluated)).toBeLessThan(TOLERANCE * whole.evaluated);
  },
);
