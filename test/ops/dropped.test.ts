/** What dropout zeroes as a whole, in the reference. */
import { expect, test } from "vitest";
import { keep, type Dropped } from "../../compiler/ir/expression.js";
import { evaluateTensor } from "../../compiler/ops/fused.js";
import { OPTIMIZER } from "../kernels/compare.js";

const SHAPE = [6, 5, 4, 3];
const [EXAMPLES, CHANNELS, PIXELS] = [6, 5, 12] as const;
const RATE = 0.4;

function maskOf(dropped: Dropped, training = true): readonly Float64Array[][] {
  const context = { seed: 7, step: 3, training, optimizer: OPTIMIZER };
  const { data } = evaluateTensor(keep(RATE, 2, dropped), [], SHAPE, context);
  return Array.from({ length: EXAMPLES }, (_, example) =>
    Array.from({ length: CHANNELS }, (_, channel) => {
      const at = (example * CHANNELS + channel) * PIXELS;
      return Float64Array.from(data.slice(at, at + PIXELS));
    }),
  );
}

const distinct = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);
const BOTH = [0, 1 / (1 - RATE)];

test("dropout zeroes single elements", () => {
  const mixed = maskOf("element")
    .flat()
    .filter((pixels) => distinct(pixels).length === 2);
  expect(mixed.length).toBeGreaterThan(20);
});

test("dropout of channels zeroes all pixels of a channel, and keeps other channels", () => {
  const mask = maskOf("channel");
  for (const pixels of mask.flat()) expect(distinct(pixels)).toHaveLength(1);
  expect(distinct(mask.flat().map(([first]) => first!))).toEqual(BOTH);
  expect(
    mask.some((channels) => distinct(channels.flatMap((each) => [...each])).length === 2),
  ).toBe(true);
});

test("stochastic depth zeroes all of an example, and keeps other examples", () => {
  const examples = maskOf("example").map((channels) =>
    distinct(channels.flatMap((each) => [...each])),
  );
  for (const values of examples) expect(values).toHaveLength(1);
  expect(distinct(examples.flat())).toEqual(BOTH);
});

test.each<Dropped>(["element", "channel", "example"])("outside training, no %s is", (dropped) => {
  expect(
    distinct(
      maskOf(dropped, false)
        .flat()
        .flatMap((each) => [...each]),
    ),
  ).toEqual([1]);
});
