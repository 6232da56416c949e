/** What is not finite is wrong, counted and reported; it never passes for a result. */
import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { evaluateClassifier, examineDataset } from "../../runtime/evaluation/index.js";
import {
  createNetwork,
  evaluateDataset,
  fit,
  parseTensors,
  serializeTensors,
  type Network,
  type NetworkOptions,
  type Targets,
} from "../../runtime/index.js";
import { adapterWithHalves } from "../adapters.js";

/** `first` makes NaN of pixels of 1e30, infinity less infinity, and leaves others as they are. */
const SPOILING = [1e30, -1e30, 1e30, -1e30];

const specOf = (rest: string, target = "target label: u32[N] in 0..2", settings = "") => `
  model M {
    input image: f32[N, 2, 1, 1]
    ${target}
    conv(2, kernel=1, bias=false) as first -> relu as spoilt
    from image -> conv(2, kernel=1, bias=false) as second -> flatten as good
    from spoilt -> flatten as bad
    ${rest}
  }
  train Run of M {
    epochs = 1
    batch = 4
    optimizer = sgd(lr=0.1)
    ${settings}
  }`;

async function opened(spec: string, options: NetworkOptions = {}) {
  const { programs, diagnostics } = compile(spec, { file: "m.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network = await createNetwork<string, string, Targets>(programs, { batch: 4, ...options });
  await network.write("first.weight", Float32Array.from(SPOILING));
  await network.write("second.weight", Float32Array.of(1e-30, 0, 0, 1e-30));
  return network;
}

/** The second of four becomes NaN. Of the others, `bad` is [0, 0], which is class 0. */
const images = Float32Array.of(0, 0, 1e30, 1e30, 0, 0, 0, 0);
const LABELS = [0, 0, 0, 1];

const dataset: Dataset = {
  name: "four",
  classes: ["a", "b"],
  length: 4,
  get: (index) => {
    const pixels = images.slice(2 * index, 2 * index + 2);
    const image = { width: 1, height: 1, channels: 2, pixels, maximum: 1 };
    return Promise.resolve({ image, label: LABELS[index]! });
  },
};

const classified = (head: string, metric = head) => `
    loss cross_entropy(${head}, label)
    metric top1 = accuracy(${metric}, label)
    metric top2 = accuracy(${metric}, label, k=2)`;

describe("a row that is not finite", () => {
  test.each([1, 2, 4])(
    "is wrong whatever k is, and is counted, in %i slices",
    async (accumulate) => {
      const network = await opened(specOf(classified("bad")), {
        accumulate,
      });
      try {
        expect(await network.evaluate(images, LABELS)).toEqual({
          loss: NaN,
          top1: 0.5,
          top2: 0.75,
        });
        expect(await network.measure(images, LABELS)).toMatchObject({ examples: 4, notFinite: 1 });
        expect(await network.step(images, LABELS)).toEqual({ loss: NaN, top1: 0.5, top2: 0.75 });
      } finally {
        network.destroy();
      }
    },
  );

  test("is an error of an evaluation whose loss it is in, which names the layer", async () => {
    const network = await opened(specOf(classified("bad")));
    const message =
      /^the loss of the evaluation is NaN: 1 of 4 examples .* come from `first.*` \(line 5\)$/;
    try {
      await expect(evaluateDataset(network, dataset)).rejects.toThrow(message);
      await expect(evaluateClassifier(network, dataset)).rejects.toThrow(message);
      const examined = await examineDataset(network, dataset, { mistakes: 4 });
      expect(examined).toMatchObject({ examples: 4, notFinite: 1 });
      expect(examined!.confusion).toEqual([
        [2, 0],
        [1, 0],
      ]);
      expect(examined!.classes[0]).toMatchObject({ support: 3, recall: 2 / 3 });
    } finally {
      network.destroy();
    }
  });

  test("of a metric alone is reported next to the loss", async () => {
    const network = await opened(specOf(classified("good", "bad")));
    try {
      const evaluation = (await evaluateDataset(network, dataset))!;
      expect(evaluation).toMatchObject({ examples: 4, notFinite: 1 });
      expect(evaluation.metrics).toMatchObject({ top1: 0.5, top2: 0.75 });
      expect(evaluation.metrics["loss"]).toBeGreaterThan(0);
    } finally {
      network.destroy();
    }
  });

  test("has no right elements either, and no error that is a number", async () => {
    const target = "target wanted: f32[N, 2]";
    const metrics = ["binary_accuracy", "mse", "mae"].map(
      (name) => `metric ${name} = ${name}(bad, wanted)`,
    );
    const network = await opened(
      specOf(["loss bce_with_logits(good, wanted)", ...metrics].join("\n"), target),
    );
    try {
      const wanted = new Float32Array(8);
      const { loss, ...others } = await network.evaluate(images, wanted);
      expect(loss).toBeGreaterThan(0);
      expect(others).toEqual({ binary_accuracy: 0.75, mse: NaN, mae: NaN });
      const { loss: trained, binary_accuracy: share } = await network.step(images, wanted);
      expect([trained! > 0, share]).toEqual([true, 0.75]);
    } finally {
      network.destroy();
    }
  });
});

test("eight sums and more are summed, and their rows counted", async () => {
  const ks = Array.from({ length: 9 }, (_, index) => `metric m${index} = accuracy(bad, label)`);
  const network = await opened(specOf(["loss cross_entropy(good, label)", ...ks].join("\n")));
  try {
    const { loss, ...others } = await network.evaluate(images, LABELS);
    expect(loss).toBeGreaterThan(0);
    expect(new Set(Object.values(others))).toEqual(new Set([0.5]));
    expect(await network.measure(images, LABELS)).toMatchObject({ notFinite: 1 });
    expect((await network.step(images, LABELS))["m8"]).toBe(0.5);
  } finally {
    network.destroy();
  }
});

test("weights that are not finite are refused by name, and change nothing", async () => {
  const network: Network<string, string, Targets> = await opened(specOf(classified("good", "bad")));
  try {
    const before = await network.read("second.weight");
    const { tensors, metadata } = parseTensors(await network.save({ optimizer: true }));
    const spoil = (name: string, value: number) => {
      const spoilt = [...tensors.values()].map((tensor) =>
        tensor.name === name
          ? { ...tensor, values: tensor.values.map((each, at) => (at === 2 ? value : each)) }
          : tensor,
      );
      return network.load(serializeTensors(spoilt, metadata));
    };
    await expect(spoil("second.weight", NaN)).rejects.toThrow(
      "these weights are not finite:\n  `second.weight` has NaN at index 2",
    );
    await expect(spoil("optimizer.velocity.second.weight", Infinity)).rejects.toThrow(
      "`optimizer.velocity.second.weight` has Infinity at index 2",
    );
    expect(await network.read("second.weight")).toEqual(before);
  } finally {
    network.destroy();
  }
});

const found = await adapterWithHalves();

test.skipIf(!found).each([1e5, -1e5])(
  "what leaves f16's range before batchnorm and relu ends the run by the layer's name: %f",
  async (weight) => {
    const spec = `
      model M {
        input image: f32[N, 2, 4, 4]
        target label: u32[N] in 0..2
        conv(4, kernel=3, padding=1, bias=false) as first -> batchnorm -> relu
        flatten -> linear(2) as logits
        loss cross_entropy(logits, label)
      }
      train Run of M {
        epochs = 1
        batch = 4
        optimizer = sgd(lr=0.1)
        precision = f16
      }`;
    const { programs } = compile(spec, { file: "m.net" });
    const recipe = analyze(spec, "m.net").selected!.recipe!;
    const { adapter } = (await adapterWithHalves())!;
    const device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16"] });
    const network = await createNetwork(programs, { batch: 4, device });
    try {
      expect(network.program.precision).toBe("f16");
      const { shape } = network.parameters.find(({ name }) => name === "first.weight")!;
      const size = shape.reduce((a, b) => a * b);
      await network.write("first.weight", new Float32Array(size).fill(weight));
      const bright: Dataset = {
        ...dataset,
        get: (index) => {
          const pixels = new Float32Array(32).fill(1 + index);
          const image = { width: 4, height: 4, channels: 2, pixels, maximum: 1 };
          return Promise.resolve({ image, label: LABELS[index]! });
        },
      };
      await expect(fit(network, bright, recipe)).rejects.toMatchObject({
        name: "DivergedError",
        message: expect.stringMatching(/`first.*` in step 1 \(line 5\) .* beyond 65504/),
        hint: expect.stringContaining("precision = f32"),
      });
    } finally {
      network.destroy();
      device.destroy();
    }
  },
);
