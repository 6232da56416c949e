import fc from "fast-check";
import { expect, test } from "vitest";
import type { RearrangeAttributes } from "../../compiler/ir/graph.js";
import { imageShape, isSequence, type Shape } from "../../compiler/ir/shape.js";
import { ActivationLayout, NO_MARGINS } from "../../compiler/layout/activation-layout.js";
import { takenPlaces, type Digit } from "../../compiler/layout/taken-places.js";
import { placesOf } from "../../compiler/ops/rearrange.js";
import { orderFrom, shapeOf } from "../ir/orders.js";

/** Where an element of a value is in memory, by its number in logical order. */
function addressOf(shape: Shape, layout: ActivationLayout, element: number): number {
  const { channels, height, width } = imageShape(shape);
  const { base, row, column } = layout.inFloats();
  const [channel, y, x] = isSequence(shape)
    ? [element % channels, 0, Math.floor(element / channels)]
    : [
        Math.floor(element / (height * width)),
        Math.floor(element / width) % height,
        element % width,
      ];
  return base + y * row + x * column + channel;
}

const along = (digits: readonly Digit[], index: number): number =>
  digits.reduce((at, { divisor, size, pitch }) => {
    return at + (Math.floor(index / divisor) % size) * pitch;
  }, 0);

/** The place of each element in memory, in logical order, by the digits of its axes. */
function placesByDigits(
  order: RearrangeAttributes,
  from: Shape,
  layout: ActivationLayout,
): readonly number[] | undefined {
  const places = takenPlaces(order, from, layout);
  if (!places) return undefined;
  const { channels, height, width } = imageShape(order.shape);
  const at = (channel: number, y: number, x: number) => {
    const line = places.base + along(places.row, y) + along(places.column, x);
    if (!places.isOfQuads) return line + along(places.channel, channel);
    return 4 * (line + along(places.channel, Math.floor(channel / 4))) + (channel % 4);
  };
  const sizes = isSequence(order.shape) ? [width, channels] : [channels, height, width];
  const count = sizes.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, number) =>
    isSequence(order.shape)
      ? at(number % channels, 0, Math.floor(number / channels))
      : at(
          Math.floor(number / (height * width)),
          Math.floor(number / width) % height,
          number % width,
        ),
  );
}

const margin = fc.constantFrom(0, 0, 1, 3);
const margins = fc
  .record({ top: margin, bottom: margin, left: margin, right: margin })
  .map((sides) => ({ ...NO_MARGINS, ...sides }));

const someShape = fc.constantFrom(16, 24, 48, 96).chain(shapeOf);
const taken = someShape.chain((shape) => fc.tuple(fc.constant(shape), orderFrom(shape), margins));

test("places are where the elements lie, in quads and by elements", () => {
  const found = { none: 0, quads: 0, elements: 0 };
  fc.assert(
    fc.property(taken, ([shape, order, around]) => {
      const layout = new ActivationLayout(shape, around);
      const places = placesByDigits(order, shape, layout);
      const isOfQuads = takenPlaces(order, shape, layout)?.isOfQuads;
      found[isOfQuads === undefined ? "none" : isOfQuads ? "quads" : "elements"]++;
      if (!places) return;
      const elements = placesOf(order).map((element) => addressOf(shape, layout, element));
      expect(places).toEqual(elements);
    }),
    { seed: 30, numRuns: 1500 },
  );
  expect(found.quads).toBeGreaterThan(150);
  expect(found.elements).toBeGreaterThan(500);
  expect(found.none).toBeLessThan(300);
});

test("what has places where axes lie apart has them everywhere", () => {
  fc.assert(
    fc.property(taken, ([shape, order, around]) => {
      const apart = new ActivationLayout(shape, { ...NO_MARGINS, top: 1, left: 1 });
      if (!takenPlaces(order, shape, apart)) return;
      expect(takenPlaces(order, shape, new ActivationLayout(shape, around))).toBeDefined();
      expect(takenPlaces(order, shape, new ActivationLayout(shape))).toBeDefined();
    }),
    { seed: 31, numRuns: 1500 },
  );
});
