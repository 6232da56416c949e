/** Halves and numbers, against a definition in exact arithmetic. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { floatOf, floatsOf, halvesOf, roundToHalf } from "../../program/half.js";

/** IEEE 754 binary16, as it is defined. */
function defined(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
/** All finite ones that are not negative, in order, and what follows the largest. */
const SIZES = [...Array.from({ length: 0x7c00 }, (_, bits) => defined(bits)), 65536];

/** The nearest, halfway the one with even bits: sums and halves of doubles are exact here. */
function nearest(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  let [low, high] = [0, SIZES.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (SIZES[middle]! <= size) low = middle;
    else high = middle;
  }
  const halfway = (SIZES[low]! + SIZES[high]!) / 2;
  const isUp = size > halfway || (size === halfway && low % 2 === 1);
  return sign | (isUp || size >= 65536 ? high : low);
}

test("all halves are the numbers that they are defined to be, and come back", () => {
  const floats = floatsOf(ALL);
  const again = halvesOf(floats);
  for (const bits of ALL) {
    const expected = defined(bits);
    if (!Object.is(floats[bits], expected) || !Object.is(floatOf(bits), expected))
      expect([bits, floats[bits]]).toEqual([bits, expected]);
    const wanted = Number.isNaN(expected) ? 0x7e00 : bits;
    if (again[bits] !== wanted) expect([bits, again[bits]]).toEqual([bits, wanted]);
  }
});

test("numbers between two halves go to the nearest, halfway to the even one", () => {
  const values = SIZES.slice(1).flatMap((size, index) => {
    const halfway = (size + SIZES[index]!) / 2;
    const step = halfway * 2 ** -52;
    return [halfway, halfway - step, halfway + step, -halfway, -halfway - step];
  });
  const halves = halvesOf(values);
  const wrong = values.filter((value, index) => halves[index] !== nearest(value));
  expect(wrong).toEqual([]);
});

test("random numbers go to the nearest", () => {
  const number = fc.oneof(
    fc.float(),
    fc.double(),
    fc.double({ min: -70000, max: 70000 }),
    fc.double({ min: -(2 ** -13), max: 2 ** -13 }),
  );
  fc.assert(
    fc.property(number, (value) => {
      const [bits] = halvesOf([value]);
      expect(bits).toBe(nearest(value));
      expect(roundToHalf(value)).toBe(defined(bits!));
    }),
    { numRuns: 5000, examples: [[0], [-0], [Infinity], [-Infinity], [NaN], [65519.999], [65520]] },
  );
});
