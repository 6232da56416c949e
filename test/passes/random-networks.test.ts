import fc from "fast-check";
import { expect, test } from "vitest";
import { printGraph } from "../../compiler/ir/print.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { Chain, inputsFor } from "./chain.js";
import { gradientError, gradientsOf } from "./gradients.js";

type Layer = (chain: Chain) => Chain;

const SQUARE = { top: 1, bottom: 1, left: 1, right: 1 };
const pair = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 }));
const side = fc.integer({ min: 0, max: 2 });

/** Layers that fit an image of any size from 3 x 3 on, with at least 2 x 2 pixels left. */
const layer: fc.Arbitrary<Layer> = fc.oneof(
  fc
    .record({
      outputs: fc.constantFrom(2, 4),
      groups: fc.constantFrom(1, 2),
      stride: pair,
      padding: fc.record({
        top: fc.constantFrom(2, 3),
        bottom: side,
        left: fc.constantFrom(2, 3),
        right: side,
      }),
    })
    .map(
      ({ outputs, ...attributes }): Layer =>
        (chain) =>
          chain.convolution(outputs, { ...attributes, kernel: [3, 2] }),
    ),
  fc.constantFrom<Layer>(
    (chain) => chain.bias(),
    (chain) => chain.unary("relu"),
    (chain) => chain.unary("tanh"),
    (chain) => chain.unary("sigmoid"),
    (chain) => chain.dropout(0.3),
    (chain) => chain.dropout(0.3, "channel"),
    (chain) => chain.dropout(0.3, "example"),
    (chain) => chain.lrn({ before: 1, after: 2 }),
    (chain) => chain.softmax(),
    (chain) => chain.batchnorm(),
    (chain) => chain.groupNormalize(1, "together"),
    (chain) => chain.maxPool({ kernel: [3, 2], stride: [1, 1], padding: SQUARE }),
    (chain) => chain.unary("relu").maxPool({ stride: [1, 2], padding: SQUARE }),
    (chain) => chain.averagePool({ windows: "adaptive", outputSize: [3, 4] }),
  ),
);

const head: fc.Arbitrary<Layer> = fc.constantFrom<Layer>(
  (chain) => chain,
  (chain) => chain.flatten().dropout(0.5),
  (chain) => chain.dropout(0.5).flatten().linear(5).bias().unary("relu").dropout(0.2),
);

test("random networks: gradients hold, and simplified graphs compute the same", () => {
  const network = fc.tuple(fc.array(layer, { minLength: 1, maxLength: 5 }), head);
  fc.assert(
    fc.property(network, ([layers, ending]) => {
      const forward = [...layers, ending]
        .reduce((chain, next) => next(chain), new Chain())
        .classify();
      // The same dropout masks on both sides only where the counters are: gradients of each graph
      // for itself.
      for (const graph of [forward, simplify(forward)]) {
        verify(graph);
        expect(gradientError(graph), printGraph(graph)).toBeLessThan(1e-7);
      }
      const training = differentiate(simplify(forward));
      const simple = simplifyTraining(training);
      verify(simple);
      const inputs = inputsFor(forward);
      expectClose(gradientsOf(simple, inputs), gradientsOf(training, inputs));
      const still = { ...inputs, context: { ...inputs.context, training: false } };
      expectClose(gradientsOf(simple, still), gradientsOf(differentiate(forward), still));
    }),
    { seed: 20260, numRuns: 60 },
  );
});

type Gradients = ReturnType<typeof gradientsOf>;

function expectClose(actual: Gradients, expected: Gradients): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, values] of expected) {
    const difference = Math.max(
      ...Array.from(values, (value, index) => Math.abs(value - actual.get(name)![index]!)),
    );
    expect(difference, name).toBeLessThan(1e-10);
  }
}
