import { describe, expect, test } from "vitest";
import { add, channel, constant, multiply, operand, unary } from "../../compiler/ir/expression.js";
import { Chain } from "../passes/chain.js";
import { stepsFor, type Program } from "../../program/program.js";
import { runsAllVariants } from "../adapters.js";
import { compare, OPTIMIZER as sgd, programsOf, worst } from "./compare.js";

/**
 * Sums in f32 in another order than the reference's doubles: 1e-5 of a tensor's norm is a few units
 * of the last place.
 */
const TOLERANCE = 1e-5;

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

const cases: Record<string, () => Chain> = {
  "a linear layer": () => new Chain(["N", 10]).linear(5).bias(),
  "linear layers with relu": () =>
    new Chain(["N", 37]).linear(50).bias().unary("relu").linear(7).bias(),
  "convolution, stride 1": () =>
    new Chain(["N", 3, 8, 8]).convolution(8).bias().unary("relu").flatten().linear(4),
  "convolutions with padding": () =>
    new Chain(["N", 4, 9, 9])
      .convolution(12, { padding: { top: 1, bottom: 1, left: 1, right: 1 } })
      .bias()
      .unary("relu")
      .convolution(10, { kernel: [5, 3], padding: { top: 2, bottom: 1, left: 0, right: 3 } })
      .bias()
      .flatten()
      .linear(4)
      .bias(),
  "strided convolutions": () =>
    new Chain(["N", 3, 17, 15])
      .convolution(8, {
        kernel: [5, 5],
        stride: [2, 2],
        padding: { top: 2, bottom: 2, left: 2, right: 2 },
      })
      .bias()
      .unary("relu")
      .convolution(6, { kernel: [3, 3], stride: [3, 2] })
      .flatten()
      .linear(4),
  "an unpadded image (stride 4, 3 channels)": () =>
    new Chain(["N", 3, 23, 23])
      .convolution(8, {
        kernel: [11, 11],
        stride: [4, 4],
        padding: { top: 2, bottom: 2, left: 2, right: 2 },
      })
      .bias()
      .flatten()
      .linear(3),
  dilation: () =>
    new Chain(["N", 4, 12, 12])
      .convolution(8, { dilation: [2, 3], padding: { top: 2, bottom: 2, left: 2, right: 2 } })
      .unary("relu")
      .convolution(5, { dilation: [2, 2] })
      .flatten()
      .linear(3),
  "groups in fours": () =>
    new Chain(["N", 8, 7, 7])
      .convolution(16, { groups: 2, padding: { top: 1, bottom: 1, left: 1, right: 1 } })
      .bias()
      .unary("relu")
      .convolution(8, { groups: 2 })
      .bias()
      .flatten()
      .linear(3),
  "groups of odd sizes, depthwise": () =>
    new Chain(["N", 6, 8, 8])
      .convolution(6, {
        groups: 6,
        stride: [2, 2],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      })
      .bias()
      .unary("relu")
      .convolution(9, { groups: 3 })
      .bias()
      .flatten()
      .linear(3),
  "max pooling behind relu": () =>
    new Chain(["N", 3, 11, 11])
      .convolution(6)
      .bias()
      .unary("relu")
      .maxPool({ kernel: [3, 3], stride: [2, 2] })
      .convolution(8)
      .bias()
      .flatten()
      .linear(4),
  "max pooling with padding": () =>
    new Chain(["N", 3, 8, 8])
      .convolution(6)
      .maxPool({
        kernel: [3, 3],
        stride: [2, 2],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      })
      .flatten()
      .linear(4),
  "a max pool of more than 255 elements": () =>
    new Chain(["N", 3, 18, 18])
      .convolution(5)
      .maxPool({ kernel: [16, 16], stride: [1, 1] })
      .flatten()
      .linear(4),
  "average pools": () =>
    new Chain(["N", 3, 9, 9])
      .convolution(6, { padding: { top: 1, bottom: 1, left: 1, right: 1 } })
      .averagePool({
        windows: "sliding",
        kernel: [3, 3],
        stride: [2, 2],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
        countPadding: true,
      })
      .unary("tanh")
      .averagePool({
        windows: "sliding",
        kernel: [2, 2],
        stride: [2, 2],
        padding: { top: 0, bottom: 1, left: 0, right: 1 },
        countPadding: false,
      })
      .averagePool({ windows: "adaptive", outputSize: [2, 2] })
      .flatten()
      .linear(4),
  "local response normalization": () =>
    new Chain(["N", 3, 6, 6])
      .convolution(10)
      .unary("relu")
      .lrn({ before: 2, after: 2 })
      .flatten()
      .linear(4),
  "batch normalization, padded channels inside halos": () =>
    new Chain(["N", 3, 7, 9])
      .convolution(6, { padding: PADDING })
      .batchnorm()
      .unary("relu")
      .convolution(9, { padding: PADDING, stride: [2, 2] })
      .batchnorm({ momentum: 0.4 })
      .unary("sigmoid")
      .convolution(5)
      .flatten()
      .linear(4),
  "batch normalization of features": () =>
    new Chain(["N", 13]).linear(18).batchnorm().unary("relu").linear(7).batchnorm().linear(3),
  "batch normalization of the images, unscaled, frozen, and after a pool": () =>
    new Chain(["N", 3, 10, 10])
      .batchnorm({ affine: false })
      .convolution(6, { padding: PADDING })
      .batchnorm({ trainable: false })
      .unary("relu")
      .maxPool()
      .batchnorm()
      .convolution(4)
      .flatten()
      .linear(3),
  "batch normalization of a sum": () => {
    const chain = new Chain(["N", 3, 6, 6]).convolution(8, { padding: PADDING }).batchnorm();
    const first = chain.value;
    return chain
      .convolution(8, { padding: PADDING })
      .batchnorm()
      .pointwise(unary("relu", add(operand(0), operand(1))), first)
      .batchnorm()
      .flatten()
      .linear(3);
  },
  "group normalization, padded channels inside halos": () => {
    const chain = new Chain(["N", 3, 7, 9])
      .convolution(6, { padding: PADDING })
      .groupNormalize(2, "together");
    const scale = chain.parameter("scale.weight", [6], { trainable: true });
    return chain
      .pointwise(multiply(operand(0), channel(1)), scale)
      .bias()
      .unary("relu")
      .convolution(9, { padding: PADDING, stride: [2, 2] })
      .groupNormalize(9, "together")
      .groupNormalize(3, "apart")
      .convolution(5)
      .groupNormalize(1, "apart")
      .flatten()
      .linear(4);
  },
  "group normalization in fours": () =>
    new Chain(["N", 3, 7, 9])
      .convolution(8, { padding: PADDING })
      .groupNormalize(2, "together")
      .unary("relu")
      .convolution(24, { padding: PADDING })
      .groupNormalize(2, "apart")
      .convolution(300, { kernel: [5, 3] })
      .groupNormalize(1, "apart")
      .flatten()
      .linear(4),
  "layer normalization of features": () =>
    new Chain(["N", 13])
      .linear(150)
      .groupNormalize(1, "apart")
      .unary("relu")
      .linear(18)
      .groupNormalize(6, "together")
      .linear(3),
  "dropout of channels": () =>
    new Chain(["N", 3, 6, 5]).convolution(6).bias().dropout(0.4, "channel").flatten().linear(6),
  "stochastic depth": () =>
    new Chain(["N", 3, 6, 5]).convolution(6).dropout(0.6, "example").flatten().linear(6),
  dropout: () => new Chain(["N", 20]).linear(30).bias().unary("relu").dropout(0.5).linear(6).bias(),
  "sigmoid, which does not keep zeros": () =>
    new Chain(["N", 3, 6, 6])
      .convolution(5)
      .unary("sigmoid")
      .convolution(6)
      .unary("sigmoid")
      .flatten()
      .linear(3),
  "transposed convolutions": () =>
    new Chain(["N", 6, 4, 3])
      .transposed(10, [9, 8], { stride: [2, 3], kernel: [4, 3], padding: PADDING })
      .bias()
      .unary("relu")
      .transposed(8, [9, 8], { padding: PADDING, kernel: [3, 3] })
      .flatten()
      .linear(3),
  "images in other sizes": () =>
    new Chain(["N", 3, 5, 4])
      .convolution(6, { padding: PADDING })
      .unary("relu")
      .resample({ outputSize: [11, 8], mode: "nearest", alignCorners: false })
      .unary("sigmoid")
      .convolution(5)
      .resample({ outputSize: [7, 9], mode: "bilinear", alignCorners: false })
      .flatten()
      .linear(3),
  "softmax inside": () => new Chain(["N", 12]).linear(9).softmax().linear(5),
  "a value used twice": () => {
    const chain = new Chain(["N", 4, 5, 5]).convolution(4, {
      padding: { top: 1, bottom: 1, left: 1, right: 1 },
    });
    return chain
      .pointwise(add(operand(0), unary("relu", multiply(operand(0), constant(0.5)))))
      .flatten()
      .linear(3);
  },
};

const COMMON = { learningRate: 0.02, weightDecay: 0.01 };
const averages = { ...COMMON, beta1: 0.8, beta2: 0.9, epsilon: 1e-3 };

const LARS = { trustCoefficient: 0.1, epsilon: 1e-3 };

const VARIANTS = {
  fused: { fusion: "all", keepGradients: false },
  "fused, gradients kept": { fusion: "all", keepGradients: true },
  "not fused": { fusion: "none", keepGradients: true },
  "for hardware": { fusion: "all", keepGradients: false, target: "gpu" },
} as const;

test("more images than registers hold take another form of a linear layer's update", async () => {
  const graph = cases["linear layers with relu"]!().classify();
  const results = await compare(graph, { keepGradients: false, count: 11, batch: 12 });
  expect(Math.max(...results.map(({ error }) => error)), worst(results)).toBeLessThan(TOLERANCE);
});

const WIDE = { kernel: [5, 5], padding: { top: 2, bottom: 2, left: 2, right: 2 } } as const;

test(
  "contractions for hardware that split K for few images alone agree " +
    "with the reference without",
  async () => {
    const make = () =>
      new Chain(["N", 4, 5, 5])
        .convolution(12, WIDE)
        .bias()
        .unary("relu")
        .convolution(12, WIDE)
        .flatten()
        .linear(200)
        .bias()
        .unary("relu");
    const options = { target: "gpu", keepGradients: false } as const;
    const [program] = programsOf(make().classify(), options, ["gpu"]);
    const sums = (batch: number, label: string) =>
      stepsFor(program!.steps.train, batch).filter((step) => step.label === `${label} (sum)`);
    for (const label of ["conv5 forward", "conv5 input gradient", "linear7 forward"]) {
      expect([sums(31, label).length, sums(32, label).length], label).toEqual([1, 0]);
    }
    const results = await compare(make().classify(), { ...options, count: 3, batch: 32 });
    expect(Math.max(...results.map(({ error }) => error)), worst(results)).toBeLessThan(TOLERANCE);
  },
);

const optimizers: Readonly<Record<string, Program["optimizer"]>> = {
  adam: { ...averages, kind: "adam" },
  "adamw with both kinds of clipping": {
    ...averages,
    kind: "adamw",
    clip: { norm: 0.1, value: 0.01 },
  },
  rmsprop: { ...COMMON, kind: "rmsprop", alpha: 0.9, momentum: 0.5, epsilon: 1e-3 },
  adagrad: { ...COMMON, kind: "adagrad", epsilon: 1e-3 },
  adadelta: { ...COMMON, kind: "adadelta", rho: 0.9, epsilon: 1e-3 },
  lion: { ...COMMON, kind: "lion", beta1: 0.8, beta2: 0.95 },
  nadam: { ...averages, kind: "nadam", momentumDecay: 4e-3 },
  radam: { ...averages, kind: "radam" },
  "lamb with both kinds of clipping": {
    ...averages,
    kind: "lamb",
    clip: { norm: 0.1, value: 0.01 },
  },
  lars: { ...COMMON, ...LARS, kind: "lars", momentum: 0.9, nesterov: true },
  "sgd with limited elements": { ...sgd, clip: { value: 0.01 } },
  "sgd with a limited norm": { ...sgd, clip: { norm: 0.1 } },
};

describe("optimizers agree with the reference", () => {
  const chain = () =>
    new Chain(["N", 3, 8, 8]).convolution(8).bias().unary("relu").flatten().linear(4).bias();
  for (const [name, optimizer] of Object.entries(optimizers)) {
    test(name, async () => {
      const options = { keepGradients: false, optimizer, count: 3, batch: 4 };
      const results = await compare(chain().classify(), options);
      const farthest = Math.max(...results.map(({ error }) => error));
      expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
    });
  }
});

/** The variants that compiled programs consist of: of each network, one of them by turns. */
const IN_PROGRAMS = ["fused", "for hardware"];

describe("programs agree with the reference", () => {
  for (const [index, [name, make]] of Object.entries(cases).entries()) {
    for (const [variant, options] of Object.entries(VARIANTS)) {
      const isSampled = variant === IN_PROGRAMS[index % IN_PROGRAMS.length];
      test.runIf(runsAllVariants || isSampled)(`${name}, ${variant}`, async () => {
        const results = await compare(make().classify(), { ...options, count: 3, batch: 4 });
        const farthest = Math.max(...results.map(({ error }) => error));
        expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
      });
    }
  }
});
