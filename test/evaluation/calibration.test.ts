import fc from "fast-check";
import { expect, test } from "vitest";
import { CalibrationCounts } from "../../runtime/evaluation/calibration.js";
import { PrecisionRecallCounts } from "../../runtime/evaluation/index.js";

test("the calibration error is the mean gap between confidence and accuracy", () => {
  const counts = new CalibrationCounts();
  // Bin 13 of 15: 0.9 on average, half of them right. Bin 14: sure, and right.
  for (const [probability, isRight] of [
    [0.88, true],
    [0.92, false],
    [1, true],
    [1, true],
  ] as const) {
    counts.add(probability, isRight);
  }
  const { error, bins } = counts.result()!;
  expect(error).toBeCloseTo((2 * 0.4 + 2 * 0) / 4, 12);
  expect(bins.map(({ examples }) => examples)).toEqual([...Array(13).fill(0), 2, 2]);
  expect(bins[13]).toEqual({ examples: 2, confidence: 0.9, accuracy: 0.5 });
  expect(bins[0]).toEqual({ examples: 0, confidence: null, accuracy: null });
});

test("no judged example, no calibration", () => {
  expect(new CalibrationCounts().result()).toBeUndefined();
});

test("the calibration error lies between |confidence - accuracy| and 1", () => {
  const example = fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.boolean());
  fc.assert(
    fc.property(fc.array(example, { minLength: 1 }), (examples) => {
      const counts = new CalibrationCounts();
      for (const [probability, isRight] of examples) counts.add(probability, isRight);
      const mean = (of: (each: (typeof examples)[number]) => number) =>
        examples.reduce((sum, each) => sum + of(each), 0) / examples.length;
      const gap = Math.abs(mean(([probability]) => probability) - mean(([, right]) => +right));
      const { error, bins } = counts.result()!;
      expect(error).toBeGreaterThanOrEqual(gap - 1e-9);
      expect(error).toBeLessThanOrEqual(1 + 1e-9);
      expect(bins.reduce((sum, bin) => sum + bin.examples, 0)).toBe(examples.length);
    }),
  );
});

/** Scores of class 1 and labels from the documentation of scikit-learn, which says 0.83. */
test("the average precision is that of scikit-learn", () => {
  const counts = new PrecisionRecallCounts(3);
  const examples = [
    [0, 0.1],
    [0, 0.4],
    [1, 0.35],
    [1, 0.8],
  ] as const;
  for (const [label, score] of examples) counts.add(label, Float32Array.of(1 - score, score, 0));
  const [zero, one, two] = counts.curves();
  expect(one!.averagePrecision).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  expect(one!.points).toEqual([
    [0.5, 1],
    [1, 2 / 3],
    [1, 0.5],
  ]);
  expect(zero!.averagePrecision).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  expect(two).toEqual({ averagePrecision: null, points: [] });
});

test("equal scores are one threshold, and curves have few points", () => {
  const counts = new PrecisionRecallCounts(2);
  const equal = Float32Array.of(0.5, 0.5);
  for (let index = 0; index < 4; index++) counts.add(index % 2, equal);
  expect(counts.curves()[0]).toEqual({ averagePrecision: 0.5, points: [[1, 0.5]] });
  const many = new PrecisionRecallCounts(2);
  for (let index = 0; index < 5000; index++) {
    many.add(index % 2, Float32Array.of(index / 5000, 1 - index / 5000));
  }
  const { points } = many.curves()[0]!;
  expect(points.length).toBeLessThanOrEqual(62);
  expect(points.at(-1)).toEqual([1, 0.5]);
});
