/**
 * Weights in several buffers: a network compiled for small limits computes what it computes for
 * WebGPU's own.
 */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { DEFAULT_LIMITS } from "../../program/limits.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { sampled } from "../adapters.js";

interface Trained {
  readonly tensors: ReadonlyMap<string, Float32Array>;
  readonly pieces: readonly number[];
  readonly labels: readonly string[];
}

const IMAGES = 12;

const specOf = (layers: string, optimizer: string) => `
model Pieces {
  input image: f32[N, 8, 6, 6]
  target label: u32[N] in 0..4
  ${layers} -> flatten -> linear(4) as logits
  loss cross_entropy(logits, label)
}
train Base of Pieces {
  epochs = 1
  batch = ${IMAGES}
  optimizer = ${optimizer}
}
`;

interface Compiled {
  readonly kibibytes?: number;
  /** `gpu` programs split K, too, and run on every adapter. */
  readonly target?: "gpu";
}

/** Three steps, with as much as the network tells of itself. */
async function train(spec: string, { kibibytes, target }: Compiled = {}): Promise<Trained> {
  const bytes = { maxStorageBufferBindingSize: 1024 * (kibibytes ?? 0) };
  const limits = kibibytes
    ? { ...DEFAULT_LIMITS, ...bytes, maxComputeWorkgroupsPerDimension: 3 }
    : undefined;
  const { programs, diagnostics } = compile(spec, { file: "pieces.net", limits, target });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network: Network = await createNetwork(programs, { batch: IMAGES, seed: 3 });
  try {
    const images = uniformValues("images", IMAGES * 8 * 6 * 6, 1);
    for (let step = 0; step < 3; step++) {
      await network.step(images, labelValues(`labels ${step}`, IMAGES, 4));
    }
    const tensors = new Map([["prediction", await network.predict(images)]]);
    for (const { name } of network.parameters) tensors.set(name, await network.read(name));
    const { parameters, steps } = network.program;
    return {
      tensors,
      pieces: parameters.map(({ pieces }) => pieces.length),
      labels: steps.train.map(({ label }) => label),
    };
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

const SGD = "sgd(lr=0.02, momentum=0.9, weight_decay=5e-4)";

const splitCases = [
  { layers: "conv(16, kernel=3, padding=1) -> relu -> conv(48, kernel=3, padding=1)", kib: 12 },
  { layers: "conv(16, kernel=1) -> conv(48, kernel=3, stride=2) -> relu", kib: 8, gpu: true },
  { layers: "conv(16, kernel=1) -> conv(40, kernel=3, dilation=2) -> relu", kib: 8 },
  // Whole groups in a piece, and parts of a group.
  { layers: "conv(32, kernel=1) -> conv(64, kernel=3, padding=1, groups=4)", kib: 10, gpu: true },
  { layers: "conv(32, kernel=1) -> conv(64, kernel=3, padding=1, groups=2)", kib: 12 },
  { layers: "conv_transpose(48, kernel=3, stride=2) -> relu -> maxpool(2)", kib: 10 },
  { layers: "conv(24, kernel=3) -> conv_transpose(24, kernel=3, groups=2)", kib: 5 },
  // Inference folds the normalization into pieces.
  { layers: "conv(48, kernel=3, padding=1, bias=false) -> batchnorm -> relu", kib: 7 },
  {
    layers: "conv(32, kernel=1) -> conv(64, kernel=3, groups=2, bias=false) -> batchnorm",
    kib: 14,
  },
  // Matrix products, whose input gradients sum parts of K.
  { layers: "flatten -> linear(96) -> relu -> linear(80) -> relu", kib: 30, gpu: true },
  ...[
    "adam(lr=1e-3)",
    "rmsprop(lr=1e-4)",
    "adamw(lr=1e-3)\n  clip_norm = 0.5",
    // Norms of whole weights, and counters of steps.
    "lamb(lr=1e-3)",
    "lars(lr=1, momentum=0.9, weight_decay=1e-3)",
    "nadam(lr=1e-4)",
  ].map((optimizer) => ({
    layers: "conv(16, kernel=3, padding=1) -> relu -> conv(48, kernel=3, padding=1, groups=2)",
    kib: 12,
    optimizer,
  })),
];

test.for(sampled(splitCases, 4))(
  "$layers in pieces of $kib KiB, $optimizer",
  async ({ layers, kib, ...rest }) => {
    const { optimizer = SGD, gpu } = rest as {
      readonly optimizer?: string;
      readonly gpu?: boolean;
    };
    const spec = specOf(layers, optimizer);
    const whole = await train(spec);
    expect(Math.max(...whole.pieces)).toBe(1);
    // Software adapters take seconds to compile the kernels of GPUs.
    const isQuick = gpu !== true && !process.env["NETC_TEST_FULL"];
    for (const target of isQuick ? [undefined] : ([undefined, "gpu"] as const)) {
      const split = await train(spec, { kibibytes: kib, target });
      expect(Math.max(...split.pieces)).toBeGreaterThan(1);
      expectAlike(split, whole);
    }
  },
);

function expectAlike(one: Trained, other: Trained): void {
  for (const [name, values] of other.tensors) {
    // Rounding, which three steps of training enlarge.
    expect(distance(one.tensors.get(name)!, values), name).toBeLessThan(2e-5);
  }
}

test("dispatches in parts make one result", async () => {
  const layers = "conv(4, kernel=1) -> flatten -> linear(72) -> relu -> linear(80) -> relu";
  const split = await train(specOf(layers, SGD), { kibibytes: 4096 });
  expect(split.labels.some((label) => label.includes("dispatches)"))).toBe(true);
  expectAlike(split, await train(specOf(layers, SGD)));
});
