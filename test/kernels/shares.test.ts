import fc from "fast-check";
import { expect, test } from "vitest";
import { build } from "../../compiler/network/build.js";
import { print } from "../../compiler/network/print.js";
import { runsAllVariants } from "../adapters.js";
import { made, randomNetwork } from "../network/random-shares.js";
import { compare, OPTIMIZER, worst } from "./compare.js";

/** As in graphs.test.ts; normalization a few layers deep enlarges rounding. */
const TOLERANCE = 5e-5;

/**
 * Normalization takes out what comes before it: some weights have gradients of rounding alone.
 * Others are of 1e-3 to 10.
 */
const ROUNDING = 1e-6;

const slow = { ...OPTIMIZER, learningRate: 0.02 } as typeof OPTIMIZER;

test("random networks with shared weights train on the device as on the CPU", async () => {
  await fc.assert(
    fc.asyncProperty(randomNetwork, fc.boolean(), async (random, keepGradients) => {
      const network = made(random);
      const results = await compare(build(network), { keepGradients, optimizer: slow });
      const wrong = results.filter(({ error, difference }) => {
        return !(error <= TOLERANCE || difference <= ROUNDING);
      });
      expect(wrong, `${print(network)}\n${worst(results)}`).toEqual([]);
    }),
    { seed: 40, numRuns: runsAllVariants ? 12 : 2 },
  );
}, 240_000);
