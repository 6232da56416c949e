import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnyNode, Graph, RearrangeAttributes } from "../../compiler/ir/graph.js";
import { printGraph } from "../../compiler/ir/print.js";
import { BATCH, stridesOf, type Shape } from "../../compiler/ir/shape.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { fuse } from "../../compiler/passes/fuse.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { orderFrom, shapeOf } from "../ir/orders.js";
import { Chain, inputsFor } from "./chain.js";
import { gradientsOf, meanLoss } from "./gradients.js";

const MOVING = new Set(["rearrange", "rearrangeGradient", "reshape"]);

const movesOf = ({ nodes }: Graph): readonly AnyNode[] =>
  nodes.filter(({ kind }) => MOVING.has(kind));

const TRANSPOSED = { shape: [BATCH, 2, 6, 4], start: 0, strides: [24, 1, 6] } as const;
const BACK = { shape: [BATCH, 2, 4, 6], start: 0, strides: [24, 1, 4] } as const;

const start = () => new Chain([BATCH, 2, 4, 6]).unary("tanh");

/** A step of a random chain: an order, or what is between two of them. */
type Step = "tanh" | RearrangeAttributes;

const stepsFrom = (shape: Shape, count: number): fc.Arbitrary<readonly Step[]> =>
  count === 0
    ? fc.constant([])
    : fc
        .oneof(
          { weight: 4, arbitrary: orderFrom(shape) },
          { weight: 1, arbitrary: fc.constant<Step>("tanh") },
        )
        .chain((step) => {
          const next = step === "tanh" ? shape : step.shape;
          return stepsFrom(next, count - 1).map((others) => [step, ...others]);
        });

const isReshape = (order: RearrangeAttributes, before: Shape) =>
  !order.sizes &&
  order.start === 0 &&
  String(order.strides) === String(stridesOf(order.shape)) &&
  order.shape.slice(1).reduce<number>((a, b) => a * Number(b), 1) ===
    before.slice(1).reduce<number>((a, b) => a * Number(b), 1);

/**
 * A bias, so that there are gradients, the steps, and a linear layer of three classes. A bias of
 * its features keeps that from becoming a convolution, which adds in another order.
 */
function networkOf(shape: Shape, steps: readonly Step[]): Graph {
  const chain = new Chain(shape).bias();
  for (const step of steps) {
    if (step === "tanh") chain.unary("tanh");
    else if (isReshape(step, chain.value.shape)) chain.reshape(step.shape);
    else chain.rearrange(step);
  }
  return chain.flatten().bias().classify();
}

describe("fewer moves", () => {
  test("a random chain computes the same to the bit, in no more moves", () => {
    const network = fc
      .constantFrom(16, 24, 36)
      .chain(shapeOf)
      .chain((shape) => fc.tuple(fc.constant(shape), stepsFrom(shape, 5)));
    let [spared, joined] = [0, 0];
    fc.assert(
      fc.property(network, ([shape, steps]) => {
        const forward = networkOf(shape, steps);
        const simple = simplify(forward);
        verify(simple);
        const training = simplifyTraining(differentiate(simple));
        verify(training);
        spared += movesOf(forward).length - movesOf(simple).length;
        expect(movesOf(simple).length).toBeLessThanOrEqual(movesOf(forward).length);
        const inputs = inputsFor(forward);
        expect(meanLoss(simple, inputs)).toBe(meanLoss(forward, inputs));
        const wanted = gradientsOf(differentiate(forward), inputs);
        const fused = fuse(training, { keepGradients: true });
        verify(fused);
        joined += fused.nodes.filter(({ kind, fusion }) => MOVING.has(kind) && fusion).length;
        for (const graph of [training, fused]) {
          for (const [name, gradient] of gradientsOf(graph, inputs)) {
            expect(Array.from(gradient), printGraph(graph)).toEqual(Array.from(wanted.get(name)!));
          }
        }
      }),
      { seed: 22, numRuns: 150 },
    );
    expect(spared).toBeGreaterThan(100);
    expect(joined).toBeGreaterThan(50);
  });

  test("what is undone is not done, in neither pass", () => {
    const forward = start().rearrange(TRANSPOSED).rearrange(BACK).bias().classify();
    expect(movesOf(simplifyTraining(differentiate(simplify(forward))))).toHaveLength(0);
  });

  test("a value that is read elsewhere stays, and what undoes it does not", () => {
    const chain = start().rearrange(TRANSPOSED);
    const transposed = chain.value;
    const undone = chain.rearrange(BACK).bias().flatten().value;
    chain.value = transposed;
    const forward = chain.bias().flatten().concatenate(undone).classify();
    const kinds = simplify(forward).nodes.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "rearrange")).toHaveLength(1);
  });
});
