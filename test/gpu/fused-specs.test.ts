/** Fused and not fused on all specs that are shipped, as they run on an adapter. */
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { elementCount } from "../../compiler/ir/shape.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { distance, programsOf } from "../kernels/compare.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { graphOf, SPECS } from "../passes/spec-graphs.js";

/** What is fused does not depend on the size of the images. These are the smallest that go through where 64 do not. */
const SIZES: Readonly<Record<string, number>> = { "alexnet-2012": 67, caffenet: 67, zfnet: 95 };
const SIZE = 64;
const BATCH = 4;

/** Rounding alone, in a network of few layers. */
const TOLERANCE = 2e-5;
/**
 * How much more than a change of the images in their last two bits rounding in all layers may do. Where such a change turns the sign of
 * what a ReLU reads, gradients of early layers jump by a percent or so.
 */
const TIMES_SENSITIVITY = 3;
/** Where a network enlarges rounding beyond this, comparing would say nothing. */
const MOST_TOLERANCE = 0.2;

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

function examplesOf({ images: { shape }, prediction }: Graph): Examples {
  const images = uniformValues("fused", BATCH * elementCount(shape), 1);
  return { images, labels: labelValues("fused", BATCH, Number(prediction.shape[1])) };
}

/** The images moved by one part in four million, up or down. */
const nudged = ({ images, labels }: Examples): Examples => ({
  images: images.map((value, index) => value * (1 + (index % 2 === 0 ? 2 ** -22 : -(2 ** -22)))),
  labels,
});

describe.skipIf(process.env.NETC_TEST_FULL !== "1")("fused and not fused are the same", () => {
  test.each(SPECS)("%s", { timeout: 600_000 }, async (name) => {
    const graph = graphOf(name, SIZES[name] ?? SIZE);
    const examples = examplesOf(graph);
    const plain = await run(graph, "none", examples);
    const [fused, moved] = [
      await run(graph, "all", examples),
      await run(graph, "none", nudged(examples)),
    ];
    const all = [plain, fused, moved];
    try {
      const compare = (tensor: string, [own, other, near]: readonly ArrayLike<number>[]) => {
        const error = distance(other!, own!);
        const tolerance = TOLERANCE + TIMES_SENSITIVITY * distance(near!, own!);
        expect(tolerance, tensor).toBeLessThan(MOST_TOLERANCE);
        expect(error, tensor).toBeLessThan(tolerance);
        if (process.env.NETC_TEST_PRINT) console.log([name, tensor, error, tolerance].join(" "));
      };
      for (const tensor of Object.keys(plain.scalars)) {
        compare(
          tensor,
          all.map(({ scalars }) => scalars[tensor]!),
        );
      }
      for (const { name: parameter, trainable } of plain.network.parameters) {
        for (const of of trainable ? (["value", "velocity"] as const) : (["value"] as const)) {
          const read = all.map(({ network }) => network.read(parameter, { of }));
          compare(`${parameter} ${of}`, await Promise.all(read));
        }
      }
    } finally {
      for (const { network } of all) network.destroy();
    }
  });
});
