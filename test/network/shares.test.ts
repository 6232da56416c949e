import fc from "fast-check";
import { expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { printGraph } from "../../compiler/ir/print.js";
import { build } from "../../compiler/network/build.js";
import { print } from "../../compiler/network/print.js";
import type { Numbers } from "../../compiler/ops/run-graph.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { CONTEXT } from "../passes/chain.js";
import { gradientError, gradientsOf } from "../passes/gradients.js";
import { made, randomNetwork } from "./random-shares.js";
import { expectRoundTrip, networksOf } from "./round-trip.js";
import { casesOf } from "../counts.js";

/** Hashed values of everything that comes in, in double precision. */
function inputsOf(graph: Graph, batch = 2) {
  const size = (shape: readonly (number | string)[]) =>
    shape.map(Number).reduce((product, extent) => product * extent, 1);
  const given = Object.fromEntries(
    graph.inputs.map(({ name, value: { type, shape } }): [string, Uint32Array | Numbers] => {
      if (type === "u32") return [name, labelValues(name, batch, 3)];
      return [name, Float64Array.from(uniformValues(name, batch * size(shape.slice(1)), 1))];
    }),
  );
  const parameters = new Map(
    graph.parameters.map(({ value: { name, shape } }): [string, Numbers] => {
      return [name, Float64Array.from(parameterValues(name, shape.map(Number)))];
    }),
  );
  const images = Object.values(given)[0] as Float64Array;
  return { images, given, labels: new Uint32Array(batch), parameters, context: CONTEXT };
}

test("random networks with shared weights resolve to what they print, to the same graph", () => {
  fc.assert(
    fc.property(randomNetwork, (random) => {
      const network = made(random);
      expectRoundTrip(network);
      const [again] = networksOf(print(network));
      // Lines are the printed text's.
      const printed = [again!, network].map((each) => {
        return printGraph(build(each)).replace(/, line \d+$/gm, "");
      });
      expect(printed[0]).toBe(printed[1]);
    }),
    { seed: 38, numRuns: casesOf(60) },
  );
});

test("gradients of random networks with shared weights are those of finite differences", () => {
  fc.assert(
    fc.property(randomNetwork, (random) => {
      const forward = build(made(random));
      verify(forward);
      const inputs = inputsOf(forward);
      expect(gradientError(forward, inputs), printGraph(forward)).toBeLessThan(1e-6);
      const training = differentiate(forward);
      const simple = simplifyTraining(differentiate(simplify(forward)));
      verify(simple);
      const [expected, actual] = [gradientsOf(training, inputs), gradientsOf(simple, inputs)];
      expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [name, values] of expected) {
        const own = actual.get(name)!;
        const errors = Array.from(values, (value, index) => Math.abs(value - own[index]!));
        expect(Math.max(...errors), name).toBeLessThan(1e-10);
      }
    }),
    { seed: 39, numRuns: casesOf(25) },
  );
});
