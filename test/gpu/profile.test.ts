import { expect, test } from "vitest";
import { createNetwork, findAdapter, profileSteps } from "../../runtime/index.js";
import { Chain } from "../passes/chain.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { OPTIMIZER, programsOf } from "../kernels/compare.js";
import {
  stepsFor,
  type OptimizerSettings,
  type Program,
  type ProgramStep,
} from "../../program/program.js";

const graph = () =>
  new Chain(["N", 3, 8, 8]).convolution(8).bias().batchnorm().unary("relu").flatten().classify();

const examples = {
  images: uniformValues("profile/images", 2 * 3 * 64, 1),
  targets: labelValues("profile/labels", 2, 3),
};

test(
  "a profile has the time of every step and leaves weights, statistics and states " +
    "as they were",
  async () => {
    const network = await createNetwork(programsOf(graph()), { batch: 2 });
    try {
      const { images, targets } = examples;
      await network.step(images, targets);
      const before = await network.save({ optimizer: true });
      const profile = await profileSteps(network, "train", examples, { rounds: 3 });
      expect(await network.save({ optimizer: true })).toEqual(before);
      expect(profile.steps.map(({ step }) => step)).toEqual(network.program.steps.train);
      for (const { milliseconds } of profile.steps) expect(milliseconds).toBeGreaterThanOrEqual(0);
      expect(profile.milliseconds).toBeGreaterThan(0);
    } finally {
      network.destroy();
    }
  },
);

const ADAM: OptimizerSettings = {
  kind: "adam",
  learningRate: 0.01,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
};

test.for<[string, OptimizerSettings, (steps: Program["steps"]) => readonly ProgramStep[]]>([
  ["sums of gradients", ADAM, ({ accumulate, update }) => [...accumulate, ...update]],
  ["an update a slice", OPTIMIZER, ({ train }) => train],
])("a batch in slices is profiled as it is trained: %s", async ([, rule, stepsOf]) => {
  const network = await createNetwork(
    programsOf(graph(), { optimizer: rule, keepGradients: false }),
    {
      batch: 5,
      accumulate: 3,
    },
  );
  try {
    const images = uniformValues("profile/images", 5 * 3 * 64, 1);
    const targets = labelValues("profile/labels", 5, 3);
    await network.step(images, targets);
    const before = await network.save({ optimizer: true });
    const profile = await profileSteps(network, "train", { images, targets }, { rounds: 1 });
    expect(await network.save({ optimizer: true })).toEqual(before);
    const { steps } = network.program;
    const { update } = steps;
    const expected = stepsFor(stepsOf(steps), network.slice);
    expect(profile.steps.map(({ step }) => step)).toEqual(expected);
    // Slices of 2, 2 and 1 images.
    for (const { step, times } of profile.steps) expect(times).toBe(update.includes(step) ? 1 : 3);
    expect(profile.submissions).toBe(update.length > 0 ? 4 : 3);
    const predicted = await profileSteps(network, "predict", { images }, { rounds: 1 });
    expect(predicted.submissions).toBe(3);
  } finally {
    network.destroy();
  }
});

test("without timestamps, repeated submissions are timed", async () => {
  const { adapter } = await findAdapter();
  const requiredFeatures = ["subgroups" as const].filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures });
  const network = await createNetwork(programsOf(graph()), { batch: 2, device });
  try {
    const profile = await profileSteps(network, "predict", examples, { rounds: 1, seconds: 0 });
    expect(profile.method).toBe("submits");
    expect(profile.steps).toHaveLength(network.program.steps.predict.length);
  } finally {
    network.destroy();
    device.destroy();
  }
});

test("kernels are compiled together when a list first runs, each once for all lists", async () => {
  const heard: { done: number; total: number }[] = [];
  const onCompile = (progress: { done: number; total: number }) => void heard.push(progress);
  const network = await createNetwork(programsOf(graph()), { batch: 2, onCompile });
  try {
    const { images, targets } = examples;
    await network.step(images, targets);
    await network.evaluate(images, targets);
    await network.predict(images);
    const { steps } = network.program;
    const lists = [steps.initialize, steps.train, steps.fold, steps.evaluate, steps.predict];
    const used = new Set(lists.flat().map(({ kernel }) => kernel));
    expect(heard.at(-1)).toEqual({ done: used.size, total: used.size });
    const compiled = heard.length;
    await network.step(images, targets);
    expect(heard).toHaveLength(compiled);
  } finally {
    network.destroy();
  }
});
