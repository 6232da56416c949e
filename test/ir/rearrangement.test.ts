import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RearrangeAttributes } from "../../compiler/ir/graph.js";
import { composed, isInOrder, isValueItself } from "../../compiler/ir/rearrangement.js";
import { BATCH, sameShape, stridesOf, type Shape } from "../../compiler/ir/shape.js";
import { placesOf, requireInside } from "../../compiler/ops/rearrange.js";
import { ordersFrom, shapeOf } from "./orders.js";

const someShape = fc.constantFrom(12, 16, 24, 36, 60).chain(shapeOf);

/** A shape, and orders of which each takes what the one before took. */
const taken = someShape.chain((shape) => fc.tuple(fc.constant(shape), ordersFrom(shape, 2)));

const natural = (shape: Shape): RearrangeAttributes => ({
  shape,
  start: 0,
  strides: stridesOf(shape),
});

describe("orders of elements", () => {
  test("one behind another takes the same elements", () => {
    let found = 0;
    fc.assert(
      fc.property(taken, ([shape, [inner, outer]]) => {
        const both = composed(outer!, inner!);
        if (!both) return;
        found++;
        requireInside(shape, both);
        const places = placesOf(inner!);
        expect(both.shape).toEqual(outer!.shape);
        expect(placesOf(both)).toEqual(placesOf(outer!).map((place) => places[place]));
      }),
      { seed: 20, numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(1200);
  });

  test("the order of a value itself is found whatever came before", () => {
    fc.assert(
      fc.property(taken, ([shape, orders]) => {
        const all = [...orders, composed(orders[1]!, orders[0]!)];
        for (const order of all.filter((each) => each !== undefined)) {
          const places = placesOf(order);
          const isNatural = places.every((place, index) => place === index);
          if (order.start === 0) expect(isInOrder(order)).toBe(isNatural);
          const isWhole = sameShape(order.shape, shape) && isNatural;
          if (order !== orders[1]) expect(isValueItself({ shape }, order)).toBe(isWhole);
        }
      }),
      { seed: 21, numRuns: 1000 },
    );
  });

  test("a reshape, a permutation and a reshape are one order", () => {
    const permuted = { shape: [BATCH, 4, 2, 6], start: 0, strides: [6, 24, 1] } as const;
    const first = composed(permuted, natural([BATCH, 2, 4, 6]))!;
    expect(composed(natural([BATCH, 8, 6]), first)).toEqual({
      shape: [BATCH, 8, 6],
      start: 0,
      sizes: [4, 2, 6],
      strides: [6, 24, 1],
    });
  });

  test("finer axes are given up where those of the shape do", () => {
    const order = { shape: [BATCH, 12], start: 0, sizes: [3, 2, 2], strides: [4, 2, 1] } as const;
    expect(composed(natural([BATCH, 12]), order)).toEqual(natural([BATCH, 12]));
  });

  test("an axis across the end of another has no order", () => {
    const transposed = { shape: [BATCH, 3, 4], start: 0, strides: [1, 3] } as const;
    const across = { shape: [BATCH, 4], start: 2, strides: [1] } as const;
    expect(composed(across, transposed)).toBeUndefined();
  });
});
