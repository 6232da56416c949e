import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { checkRun, type RunFacts } from "../../compiler/semantics/recipes/check-run.js";

const spec = (settings: string, source = 'folder("data")', layers = "flatten") => `
model M {
  input  image: f32[N, 1, 2, 2]
  target label: u32[N] in 0..4
  ${layers} -> linear(4) as logits
  loss cross_entropy(logits, label)
}
data D for M { train ${source} { } }
train T of M on D {
  epochs = 1
  batch = 8
  optimizer = adam
  ${settings}
}
`;

const USUAL: RunFacts = { steps: 100, batch: 8, slices: 1, classes: 4 };

function codes(text: string, facts: Partial<RunFacts> = {}): readonly string[] {
  const analysis = analyze(text, "a.net");
  expect(analysis.diagnostics).toEqual([]);
  return checkRun(analysis, { ...USUAL, ...facts }).map(({ code }) => code);
}

describe("a run is warned of", () => {
  // 0.9^21 = 0.11, 0.9^22 = 0.098.
  test.each([
    [0.9, 21, ["NET3066"]],
    [0.9, 22, []],
    [0.999, 2301, ["NET3066"]],
    [0.999, 2302, []],
  ])("ema(%d) over %d steps: %j", (decay, steps, expected) => {
    expect(codes(spec(`average = ema(${decay})`), { steps })).toEqual(expected);
  });

  test("a mean of weights whose first interval ends after the run", () => {
    const average = "average = swa(start=60 steps, every=20 steps)";
    expect(codes(spec(average), { steps: 79 })).toEqual(["NET3066"]);
    expect(codes(spec(average), { steps: 80 })).toEqual([]);
  });

  test("more classes than the data have, and not of as many", () => {
    expect(codes(spec(""), { classes: 3 })).toEqual(["NET3067"]);
    expect(codes(spec(""), { classes: 4 })).toEqual([]);
  });

  test.each([
    ['csv("a.csv")', 1, ["NET3068"]],
    ['csv("a.csv")', 16, ["NET3068"]],
    ['csv("a.csv")', 100, []],
    ['csv("a.csv")', 0, []],
    ['csv("a.csv", maximum=1)', 1, []],
  ])("%s whose largest pixel is %d: %j", (source, largestPixel, expected) => {
    expect(codes(spec("", source), { largestPixel })).toEqual(expected);
  });

  test("slices of one example, where flags or memory make them", () => {
    const normalized = spec("", undefined, "flatten -> linear(8) -> batchnorm");
    expect(codes(normalized)).toEqual([]);
    expect(codes(normalized, { slices: 8 })).toEqual(["NET3065"]);
    expect(codes(normalized, { batch: 1 })).toEqual(["NET3065"]);
    expect(codes(normalized, { slices: 4 })).toEqual([]);
    // Images have several pixels to take a variance over.
    const ofImages = spec("", undefined, "conv(2, kernel=1) -> batchnorm -> flatten");
    expect(codes(ofImages, { slices: 8 })).toEqual([]);
  });
});

test("a recipe in an imported place, or none, is not warned of", () => {
  const analysis = analyze("model M {\n  input x: f32[N, 2]\n  linear(2)\n}\n", "a.net");
  expect(checkRun(analysis, USUAL)).toEqual([]);
});
