/** Orders of elements, drawn at random as layers make them. */
import fc from "fast-check";
import type { RearrangeAttributes } from "../../compiler/ir/graph.js";
import { BATCH, elementCount, stridesOf, type Shape } from "../../compiler/ir/shape.js";

/** What a value of a shape is taken into next. */
export type Draw = (shape: Shape) => fc.Arbitrary<RearrangeAttributes>;

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

const divisorsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => index + 1).filter((each) => count % each === 0);

const sizesOf = (shape: Shape) => shape.slice(1).map(Number);

/** Axes in another order. */
const permuted: Draw = (shape) => {
  const axes = sizesOf(shape).map((_, axis) => axis);
  return fc.shuffledSubarray(axes, { minLength: axes.length }).map((order) => ({
    shape: [BATCH, ...order.map((axis) => shape[axis + 1]!)],
    start: 0,
    strides: order.map((axis) => stridesOf(shape)[axis]!),
  }));
};

/** Some of an axis, each or every other one. */
const sliced: Draw = (shape) =>
  fc
    .record({ axis: fc.nat({ max: shape.length - 2 }), step: fc.constantFrom(1, 1, 2) })
    .chain(({ axis, step }) => {
      const most = Math.ceil(Number(shape[axis + 1]) / step);
      return fc.integer({ min: 1, max: most }).chain((count) => {
        const room = Number(shape[axis + 1]) - (count - 1) * step - 1;
        return fc.nat({ max: room }).map((first) => {
          const strides = stridesOf(shape);
          return {
            shape: shape.with(axis + 1, count),
            start: first * strides[axis]!,
            strides: strides.with(axis, step * strides[axis]!),
          };
        });
      });
    });

/** All axes cut in two, in any order, and read in the sizes of some shape. */
const shuffled: Draw = (shape) => {
  const cuts = fc.tuple(...sizesOf(shape).map((size) => fc.constantFrom(...divisorsOf(size))));
  return cuts.chain((inner) => {
    const axes = sizesOf(shape).flatMap((size, axis) => {
      const stride = stridesOf(shape)[axis]!;
      const [fine] = [inner[axis]!];
      return [
        { size: size / fine, stride: stride * fine },
        { size: fine, stride },
      ];
    });
    return fc.shuffledSubarray(axes, { minLength: axes.length }).chain((taken) =>
      shapeOf(product(taken.map(({ size }) => size))).map((wanted) => ({
        shape: wanted,
        start: 0,
        sizes: taken.map(({ size }) => size),
        strides: taken.map(({ stride }) => stride),
      })),
    );
  });
};

/** A shape of this many elements, of one to three axes. */
export const shapeOf = (count: number): fc.Arbitrary<Shape> =>
  fc
    .constantFrom(...divisorsOf(count))
    .chain((first) =>
      fc
        .constantFrom(...divisorsOf(count / first))
        .chain((second) =>
          fc.constantFrom<Shape>(
            [BATCH, count],
            [BATCH, first, count / first],
            [BATCH, first, second, count / first / second],
          ),
        ),
    );

/** The elements in their order, in another shape. */
const reshaped: Draw = (shape) =>
  shapeOf(elementCount(shape)).map((wanted) => ({
    shape: wanted,
    start: 0,
    strides: stridesOf(wanted),
  }));

/** Whatever elements of such a value may be taken into. */
export const orderFrom: Draw = (shape) =>
  fc.oneof(permuted(shape), sliced(shape), shuffled(shape), reshaped(shape));

/** Orders of which each takes what the one before took. */
export const ordersFrom = (
  shape: Shape,
  count: number,
): fc.Arbitrary<readonly RearrangeAttributes[]> =>
  count === 0
    ? fc.constant([])
    : orderFrom(shape).chain((order) =>
        ordersFrom(order.shape, count - 1).map((others) => [order, ...others]),
      );
