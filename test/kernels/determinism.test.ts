import { expect, test } from "vitest";
import { createNetwork } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { Chain } from "../passes/chain.js";
import { programsOf } from "./compare.js";

const BATCH = 6;
const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

/** All weights after a few steps with dropout, from initial values of the seed. */
async function train(seed: number): Promise<Uint8Array> {
  const graph = new Chain(["N", 3, 9, 9])
    .convolution(8, { padding: PADDING })
    .bias()
    .unary("relu")
    .maxPool()
    .convolution(6)
    .dropout(0.4)
    .classify();
  const network = await createNetwork(programsOf(graph), { batch: BATCH, seed });
  try {
    for (const { name, shape } of network.parameters) {
      const size = shape.reduce((product, length) => product * length, 1);
      await network.write(name, uniformValues(name, size, 0.2));
    }
    for (let step = 0; step < 4; step++) {
      const images = uniformValues(`images ${step}`, BATCH * 3 * 9 * 9, 1);
      await network.step(images, labelValues(`labels ${step}`, BATCH, 3));
    }
    return await network.save({ optimizer: true });
  } finally {
    network.destroy();
  }
}

test("the same seed gives the same bits twice, another seed others", async () => {
  const [first, second, other] = [await train(1), await train(1), await train(2)];
  expect(Buffer.compare(first, second)).toBe(0);
  expect(Buffer.compare(first, other)).not.toBe(0);
});
