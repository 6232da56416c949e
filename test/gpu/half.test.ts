import { describe, expect, test } from "vitest";
import { verifyNetwork } from "../../workbench/verify/verify.js";
import { multiply, operand, unary } from "../../compiler/ir/expression.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { compileGraph, type ProgramOptions } from "../../compiler/program.js";
import type { MixedPrecision } from "../../program/recipe.js";
import { createNetwork } from "../../runtime/index.js";
import { adapterWithHalves } from "../adapters.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { parameterValues } from "../oracle/values.js";
import { Chain } from "../passes/chain.js";
import { TRANSFORMER } from "../runtime/transformer.js";

/** The fallback on adapters without 16-bit floats is tested in test/runtime/precision.test.ts. */
const found = await adapterWithHalves();

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

const DYNAMIC: MixedPrecision = {
  kind: "f16",
  lossScale: { kind: "dynamic", initial: 1024, growth: 2, backoff: 0.5, interval: 2 },
};
const STATIC: MixedPrecision = { kind: "f16", lossScale: { kind: "static", scale: 256 } };

/** Most ops that there are. */
const network = () =>
  new Chain(["N", 3, 12, 12])
    .convolution(8, { padding: PADDING })
    .bias()
    .unary("relu")
    .maxPool({ kernel: [3, 3], stride: [2, 2] })
    .lrn({ before: 2, after: 2 })
    .convolution(8, { groups: 2, padding: PADDING, stride: [2, 2] })
    .batchnorm()
    .pointwise(multiply(operand(0), unary("sigmoid", operand(0))))
    .convolution(6, { groups: 2, padding: PADDING })
    .resample({ mode: "bilinear", outputSize: [5, 4], alignCorners: false })
    .averagePool({ windows: "adaptive", outputSize: [2, 2] })
    .groupNormalize(2, "together")
    .flatten()
    .linear(20)
    .bias()
    .dropout(0.5)
    .classify();

const transformer = () => analyze(TRANSFORMER, "t.net").selected!.model.graph!;

/** Values with halos that share memory: they are cleared before they are written. */
const masks = () => analyze(MASKS, "m.net").selected!.model.graph!;

/** Odd heads whose windows cross the border, and whose shares are dropped. */
const windows = () => analyze(WINDOWS, "w.net").selected!.model.graph!;

const WINDOWS = `model M {
  input  image: f32[N, 4, 7, 9]
  target label: u32[N] in 0..3
  conv(12, kernel=1)
  residual { layernorm -> attention(4, window=3, shift=1, dropout=0.2) }
  layernorm -> attention(1, window=[4, 3], shift=[2, 0]) -> global_avgpool -> flatten
  linear(3) as logits
  loss cross_entropy(logits, label)
}`;

/** Branches that a channel shuffle reads where they are. */
const branches = () => analyze(BRANCHES, "b.net").selected!.model.graph!;

const BRANCHES = `model M {
  input  image: f32[N, 3, 12, 12]
  target label: u32[N] in 0..3
  conv(10, kernel=3)
  repeat 2 {
    split { branch { } branch { conv(5, kernel=3, padding=1, bias=false) -> batchnorm -> relu } }
    channel_shuffle(2)
  }
  sigmoid -> batchnorm -> conv(4, kernel=3, padding=1) -> flatten -> linear(3) as logits
  loss cross_entropy(logits, label)
}`;

const MASKS = `model M {
  input  image: f32[N, 3, 48, 48]
  target mask: u32[N, 48, 48] in 0..4
  conv(4, kernel=3, padding=1) -> relu
  conv(4, kernel=3, padding=1) -> relu
  conv(4, kernel=3, padding=1) as logits
  loss   cross_entropy(logits, mask, ignore=255)
  metric miou = miou(logits, mask)
}`;

const ADAM: ProgramOptions["optimizer"] = {
  kind: "adam",
  learningRate: 0.01,
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  clip: { norm: 0.5, value: 0.1 },
};

function traces(graph: Graph, options: Partial<ProgramOptions>) {
  const common = { source: { file: "test.net", hash: "0" }, classes: 3, optimizer: OPTIMIZER };
  return (["gpu", "lanes8"] as const).map((target) =>
    compileGraph(graph, { target, ...common, ...options }),
  );
}

describe.skipIf(!found)("kernels that store 16 bits agree with the references", () => {
  test.each<[string, Partial<ProgramOptions>]>([
    ["a dynamic loss scale", { precision: DYNAMIC }],
    ["a static loss scale, updates fused", { precision: STATIC }],
    ["adam with clipped gradients", { precision: DYNAMIC, optimizer: ADAM }],
    ["adam with clipped gradients and a static scale", { precision: STATIC, optimizer: ADAM }],
    ["without fusion", { precision: DYNAMIC, fusion: "none" }],
    ["of a transformer", { precision: DYNAMIC }],
    ["of windows", { precision: DYNAMIC }],
    ["of masks", { precision: DYNAMIC }],
    ["of branches", { precision: DYNAMIC }],
  ])("%s", async (title, options) => {
    const graphs: Readonly<Record<string, () => Graph>> = {
      "of a transformer": transformer,
      "of windows": windows,
      "of masks": masks,
      "of branches": branches,
    };
    const programs = traces((graphs[title] ?? network)(), options);
    const opened = await createNetwork(
      programs.map(({ program }) => program),
      { batch: 3, seed: 5, adapter: found!.source },
    );
    try {
      for (const { name, shape } of opened.parameters)
        await opened.write(name, parameterValues(`kernels/${name}`, shape));
      const traced = programs.find(({ program }) => program === opened.program)!;
      expect(opened.program.precision).toBe("f16");
      const lists = ["train", "evaluate", "predict"] as const;
      const tally = await verifyNetwork(opened, traced, lists, { known: new Set() });
      expect(tally.divergence).toBeUndefined();
      expect(tally.values).toBeGreaterThan(5000);
    } finally {
      opened.destroy();
    }
  });
});
