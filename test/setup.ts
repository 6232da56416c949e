import fc from "fast-check";
import { expect } from "vitest";

// A red test is red on every machine: the same random cases every time.
fc.configureGlobal({ seed: 20260 });

expect.addEqualityTesters([areSameNumbers]);

type Numbers = ArrayLike<number | bigint> & { readonly constructor: unknown };

const isOfNumbers = (value: unknown): value is Numbers =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/**
 * Compares arrays of numbers as `toEqual` does, in a thousandth of its time: that was a tenth of
 * all tests'. Leaves other values to `toEqual`.
 */
function areSameNumbers(one: unknown, other: unknown): boolean | undefined {
  if (!isOfNumbers(one) || !isOfNumbers(other)) return undefined;
  if (one.constructor !== other.constructor || one.length !== other.length) return undefined;
  for (let index = 0; index < one.length; index++) {
    const value = one[index];
    if (typeof value !== "number" && typeof value !== "bigint") return undefined;
    if (!Object.is(value, other[index])) return undefined;
  }
  return true;
}
