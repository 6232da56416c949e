/** Random specs: gradients, weights and scores of a program against its ops' references. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants } from "../adapters.js";
import { compare, OPTIMIZER, worst } from "./compare.js";
import { randomSpec } from "./random-specs.js";

/**
 * Sums in f32, through up to twenty layers whose gradients may grow, against doubles; of a whole
 * tensor. What is below `NOTHING` is a gradient of 0 but for rounding.
 */
const TOLERANCE = 1e-4;
const NOTHING = 3e-6;

/** Steps that lead nowhere: what the second one computes is as well conditioned as the first. */
const optimizer = { ...OPTIMIZER, learningRate: 1e-3 };

/** Those whose programs were wrong before, and some others. */
const FOUND = [27, 33, 61, 62, 112, 115];
const more = (count: number) => Array.from({ length: count }, (_, index) => 100 + index);
const isFull = process.env["NETC_TEST_FULL"] === "1";
const seeds = runsAllVariants ? [...FOUND, ...more(isFull ? 100 : 5)] : FOUND.slice(0, 3);

test.each(seeds)("random spec %i", async (seed) => {
  const text = randomSpec(seed);
  const { diagnostics, selected } = analyze(text, "random.net");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ message }) => message).join("\n"), text).toBe("");
  const isFused = seed % 4 !== 0;
  const results = await compare(selected!.model.graph!, {
    fusion: isFused ? "all" : "none",
    keepGradients: !isFused,
    optimizer,
    count: 3,
    batch: 3 + (seed % 2),
  });
  const wrong = results.filter(({ difference }) => difference > NOTHING);
  const farthest = Math.max(0, ...wrong.map(({ error }) => error));
  expect(farthest, `${worst(wrong)} of\n${text}`).toBeLessThan(TOLERANCE);
});
