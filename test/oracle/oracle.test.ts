import { expect, test } from "vitest";
import { relativeError, sketch, type Summary } from "./sketch.js";
import { labelValues, parameterValues, streamOf, uniformValues, wordAt } from "./values.js";

test("values are those of make_expected.py, bit for bit", () => {
  // As make_expected.py's functions of the same names return them.
  const name = "alexnet/features.conv1.weight";
  expect(streamOf(name)).toBe(2743650001);
  const words = [0, 1, 2, 3].map((index) => wordAt(streamOf(name), index));
  expect(words).toEqual([1562946607, 550490160, 320179940, 2631078030]);
  const bits = new Uint32Array(parameterValues(name, [64, 3, 11, 11]).buffer, 0, 4);
  expect([...bits]).toEqual([0xbd0f56ca, 0xbdc3ce49, 0xbde00b3f, 0x3ced2c0b]);
  const labels = labelValues("alexnet/labels", 8, 1000);
  expect([...labels]).toEqual([475, 237, 785, 507, 539, 287, 576, 306]);
});

test("the sketch of a difference estimates its norm", () => {
  const truth = uniformValues("truth", 100_000, 1);
  const norm = Math.sqrt(truth.reduce((sum, value) => sum + value * value, 0));
  const summary: Summary = { shape: [100, 1000], norm, sketch: [...sketch(truth)] };
  for (const size of [1e-5, 1e-4, 1e-2]) {
    const noise = uniformValues(`noise ${size}`, truth.length, size);
    const noisy = Float64Array.from(truth, (value, index) => value + noise[index]!);
    // Noise and truth are both uniform: their norms differ by the factor `size`.
    const ratio = relativeError(noisy, summary) / size;
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.2);
  }
});

test("one wrong element is seen in full", () => {
  const truth = uniformValues("truth", 10_000, 1);
  const wrong = Float32Array.from(truth);
  wrong[1234]! += 0.5;
  const summary: Summary = { shape: [10_000], norm: 1, sketch: [...sketch(truth)] };
  expect(relativeError(wrong, summary)).toBeCloseTo(0.5, 6);
  expect(relativeError(truth, summary)).toBe(0);
});
