/** Fused and not fused on all specs that are shipped, as they run on an adapter. */
import { portOf } from "../../compiler/ir/graph.js";
import { describe, expect, test } from "vitest";
import { verifyNetwork } from "../../workbench/verify/verify.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { elementCount } from "../../compiler/ir/shape.js";
import { compileGraph } from "../../compiler/program.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { distance, OPTIMIZER, programsOf } from "../kernels/compare.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { graphOf, SPECS } from "../passes/spec-graphs.js";

/**
 * What is fused does not depend on the size of the images. These are the smallest that go through
 * where 64 do not.
 */
const SIZES: Readonly<Record<string, number>> = {
  "alexnet-2012": 67,
  caffenet: 67,
  zfnet: 95,
  // Its layers mix as many tokens as an image of this size has.
  mlp_mixer: 224,
  // It has a parameter for the place of each.
  vit_b_16: 224,
};
const SIZE = 64;
const BATCH = 4;

/** Rounding alone, in a network of few layers. */
const TOLERANCE = 2e-5;
/**
 * How much more than a change of the images in their last two bits rounding in all layers may do.
 * Where such a change turns the sign of what a ReLU reads, gradients of early layers jump by a
 * percent or so.
 */
const TIMES_SENSITIVITY = 3;
/**
 * Deep networks with batch normalization enlarge rounding beyond this, and comparing their ends
 * says too little. Their fused kernels are then compared one by one, each on what it reads.
 */
const MOST_TOLERANCE = 0.01;

interface Examples {
  readonly images: Float32Array;
  readonly labels: Uint32Array;
}

interface Results {
  readonly scalars: Readonly<Record<string, ArrayLike<number>>>;
  readonly network: Network;
}

async function run(
  graph: Graph,
  fusion: "all" | "none",
  { images, labels }: Examples,
): Promise<Results> {
  const programs = programsOf(graph, { fusion, keepGradients: false });
  const network = await createNetwork(programs, { batch: BATCH, seed: 3 });
  const prediction = await network.predict(images);
  const evaluated = Object.values(await network.evaluate(images, labels));
  const trained = Object.values(await network.step(images, labels));
  return { scalars: { prediction, evaluated, trained }, network };
}

function examplesOf(graph: Graph): Examples {
  const { shape } = portOf(graph, "input");
  const prediction = portOf(graph, "prediction");
  const images = uniformValues("fused", BATCH * elementCount(shape), 1);
  const [, classes, ...pixels] = prediction.shape.map(Number);
  const labels = pixels.reduce((count, size) => count * size, BATCH);
  return { images, labels: labelValues("fused", labels, classes!) };
}

/** The images moved by one part in four million, up or down. */
const nudged = ({ images, labels }: Examples): Examples => ({
  images: images.map((value, index) => value * (1 + (index % 2 === 0 ? 2 ** -22 : -(2 ** -22)))),
  labels,
});

/** Names of the tensors whose end-to-end comparison says too little. */
type Enlarged = string[];

/**
 * Holds a tensor of the fused network against the plain one, given the plain one on nudged images.
 */
function compare(
  tensor: string,
  [plain, fused, moved]: readonly ArrayLike<number>[],
  enlarged: Enlarged,
): void {
  const error = distance(fused!, plain!);
  const tolerance = TOLERANCE + TIMES_SENSITIVITY * distance(moved!, plain!);
  if (process.env.NETC_TEST_PRINT) console.log([tensor, error, tolerance].join(" "));
  if (tolerance > MOST_TOLERANCE) enlarged.push(tensor);
  expect(error, tensor).toBeLessThan(tolerance);
}

/** Compares everything that a step leaves; `all` is plain, fused and moved. */
async function compareAll(all: readonly Results[]): Promise<Enlarged> {
  const enlarged: Enlarged = [];
  for (const name of Object.keys(all[0]!.scalars)) {
    const values = all.map(({ scalars }) => scalars[name]!);
    compare(name, values, enlarged);
  }
  for (const { name, trainable } of all[0]!.network.parameters) {
    for (const of of trainable ? (["value", "velocity"] as const) : (["value"] as const)) {
      const values = await Promise.all(all.map(({ network }) => network.read(name, { of })));
      compare(`${name} ${of}`, values, enlarged);
    }
  }
  return enlarged;
}

/** Compares each kernel of the fused network with its reference, on the values that it reads. */
async function expectRightKernels(graph: Graph): Promise<void> {
  const options = {
    source: { file: "test.net", hash: "0" },
    classes: Number(portOf(graph, "prediction").shape[1]),
    optimizer: OPTIMIZER,
  };
  const traced = (["gpu", "lanes8", "lanes4"] as const).map((target) =>
    compileGraph(graph, { target, ...options }),
  );
  const programs = traced.map(({ program }) => program);
  const network = await createNetwork(programs, { batch: BATCH, seed: 3 });
  try {
    const chosen = traced.find(({ program }) => program === network.program)!;
    const lists = ["train", "evaluate", "predict"] as const;
    const tally = await verifyNetwork(network, chosen, lists, { known: new Set() });
    expect(tally.divergence).toBeUndefined();
    expect(tally.kernels).toBeGreaterThan(10);
  } finally {
    network.destroy();
  }
}

describe.skipIf(process.env.NETC_TEST_FULL !== "1")("fused and not fused are the same", () => {
  test.each(SPECS)("%s", { timeout: 600_000 }, async (name) => {
    const graph = graphOf(name, SIZES[name] ?? SIZE);
    const examples = examplesOf(graph);
    const all = [
      await run(graph, "none", examples),
      await run(graph, "all", examples),
      await run(graph, "none", nudged(examples)),
    ];
    let enlarged: Enlarged;
    try {
      enlarged = await compareAll(all);
    } finally {
      for (const { network } of all) network.destroy();
    }
    if (enlarged.length === 0) return;
    console.log(`${name}: ${enlarged.length} tensors enlarge rounding: kernels one by one`);
    await expectRightKernels(graph);
  });
});
