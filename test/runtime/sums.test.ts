/** What ranks send: in which order, in which numbers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundToHalf } from "../../program/half.js";
import { decodeHalves, encodeHalf } from "../../runtime/training/halves.js";
import { loopback } from "../../runtime/training/collective.js";
import { joinMoments } from "../../runtime/training/moments.js";
import { bucketsOf } from "../../runtime/training/sums.js";
import { wireOf } from "../../runtime/training/wire.js";

const MEBI = 2 ** 20;

/** A program with these gradients, in the order of its parameters, and the steps that make them. */
function programOf(gradients: readonly number[], uses: readonly number[][]) {
  const buffers = gradients.map((bytes) => ({ bytes: { fixed: bytes, perImage: 0 } }));
  const parameters = gradients.map((_, gradient) => ({ pieces: [{ gradient }] }));
  const steps = uses.map((bound) => ({ buffers: bound }));
  return [{ buffers, parameters }, steps] as unknown as Parameters<typeof bucketsOf>;
}

describe("buckets", () => {
  test("come in backward order, each after the step that completes it", () => {
    const small = [4 * MEBI, 10 * MEBI, 8 * MEBI];
    const buckets = bucketsOf(...programOf(small, [[2], [1], [2], [0]]));
    expect(buckets).toEqual([
      { after: 2, bytes: 8 * MEBI, ranges: [{ buffer: 2, offset: 0, bytes: 8 * MEBI }] },
      {
        after: 3,
        bytes: 14 * MEBI,
        ranges: [
          { buffer: 1, offset: 0, bytes: 10 * MEBI },
          { buffer: 0, offset: 0, bytes: 4 * MEBI },
        ],
      },
    ]);
  });

  test("divide what is larger than a bucket", () => {
    const [first, ...others] = bucketsOf(...programOf([40 * MEBI], [[0]]));
    expect(first!.ranges).toEqual([{ buffer: 0, offset: 0, bytes: 16 * MEBI }]);
    expect(others.map(({ bytes }) => bytes)).toEqual([16 * MEBI, 8 * MEBI]);
  });

  test("hold every byte once, and none completes before the one before it", () => {
    const gradients = fc.array(fc.integer({ min: 1, max: 5 * MEBI }), { minLength: 1 });
    fc.assert(
      fc.property(gradients, (words) => {
        const sizes = words.map((count) => 4 * count);
        const uses = sizes.map((_, index) => [sizes.length - 1 - index]);
        const buckets = bucketsOf(...programOf(sizes, uses));
        const ranges = buckets.flatMap((bucket) => bucket.ranges);
        sizes.forEach((size, buffer) => {
          const own = ranges.filter((range) => range.buffer === buffer);
          expect(own.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(size);
        });
        buckets.slice(1).forEach(({ after }, index) => {
          expect(after).toBeGreaterThanOrEqual(buckets[index]!.after);
        });
      }),
    );
  });
});

test("halves are rounded to the nearest, halfway to even", () => {
  const magnitudes = fc.double({ min: -60000, max: 60000, noNaN: true });
  const small = fc.double({ min: -1e-4, max: 1e-4, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(magnitudes, small), (value) => {
      const rounded = Math.fround(value);
      const [decoded] = decodeHalves(Uint16Array.of(encodeHalf(rounded)));
      expect(decoded! + 0).toBe(roundToHalf(rounded) + 0);
    }),
  );
  expect([2049, 2051].map((value) => decodeHalves(Uint16Array.of(encodeHalf(value)))[0])).toEqual([
    2048, 2052,
  ]);
});

test("error feedback: over many steps, the whole gradient arrives", async () => {
  const gradient = [1, 1e-4, -3e-5, 0.3333, 7e-9];
  const bucket = { after: 0, bytes: 20, ranges: [{ buffer: 0, offset: 0, bytes: 20 }] };
  const steps = 400;
  const totals = await Promise.all(
    loopback(3).map(async (collective) => {
      const wire = wireOf("f16", collective);
      const total = new Float64Array(gradient.length);
      for (let step = 0; step < steps; step++) {
        const values = Float32Array.from(gradient);
        const peak = wire.peakOf(bucket, values);
        await wire.add(bucket, values, [peak, peak, peak]);
        values.forEach((value, index) => (total[index]! += value));
      }
      return [...total];
    }),
  );
  expect(totals[1]).toEqual(totals[0]);
  // What is left is less than the rounding of a single step.
  gradient.forEach((value, index) => {
    expect(Math.abs(totals[0]![index]! / 3 - steps * value)).toBeLessThan(1e-3);
  });
});

test("moments of parts are those of all values, also far from zero", () => {
  const values = fc.float({ min: -1, max: 1, noNaN: true });
  const parts = fc.array(fc.array(values, { maxLength: 9 }), { minLength: 1, maxLength: 5 });
  const offset = fc.constantFrom(0, 1000);
  fc.assert(
    fc.property(parts, offset, (numbers, add) => {
      const shifted = numbers.map((part) => part.map((value) => Math.fround(value + add)));
      const all = shifted.flat();
      if (all.length === 0) return;
      const words = Float32Array.from(shifted.flatMap((part) => [...momentsOf(part)]));
      const joined = joinMoments(words, 12);
      const expected = momentsOf(all);
      joined.forEach((value, index) => {
        expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-3 * Math.max(1, add / 100));
      });
    }),
  );
});

/** Four channels of the same values: means, sums of squared distances, and the count. */
function momentsOf(values: readonly number[]): readonly number[] {
  const count = values.length;
  const mean = count === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const four = (value: number) => [value, value, value, value];
  return [...four(mean), ...four(squares), ...four(count)];
}
