import { expect, test } from "vitest";
import { curveSvg, describeTest, plotText } from "../../cli/training/find-rate-command.js";
import { HIGHEST_RATE, LOWEST_RATE, suggestRate } from "../../cli/training/find-rate.js";

/** Losses over rates in even steps of the logarithm. */
function points(loss: (logarithm: number) => number) {
  return Array.from({ length: 100 }, (_, step) => {
    const rate = LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (step / 99);
    return { rate, loss: loss(Math.log10(rate)) };
  });
}

/** Falls around 1e-3 from 2.3 to 1, rises from 1e-1 on, with the noise of small batches. */
const usual = points((x) => {
  const noise = 0.02 * Math.sin(37 * x);
  return 1 + 1.3 / (1 + Math.exp(4 * (x + 3))) + Math.max(0, 3 * (x + 1)) + noise;
});

test("the suggestion is where the loss falls fastest", () => {
  const { rate, highest } = suggestRate(usual)!;
  expect(Math.log10(rate)).toBeGreaterThan(-3.4);
  expect(Math.log10(rate)).toBeLessThan(-2.6);
  expect(Math.log10(highest)).toBeGreaterThan(-2.2);
  expect(Math.log10(highest)).toBeLessThan(-0.8);
});

test("a loss that never falls gives no suggestion", () => {
  expect(suggestRate(points((x) => 2.3 + 0.01 * Math.sin(37 * x)))).toBeUndefined();
  expect(suggestRate(points((x) => 2.3 + Math.max(0, x + 3)))).toBeUndefined();
  expect(suggestRate([])).toBeUndefined();
  const flat = points(() => 2.3);
  const described = { learningRate: 0.1, steps: 100, spec: "net.net" };
  expect(describeTest(flat, described)).toMatch(/no suggestion: the loss did not fall/);
  expect(describeTest([], described)).toMatch(/the loss is not finite from the start/);
});

test("the curve is drawn in characters and as a picture", () => {
  const plot = plotText(usual).split("\n");
  expect(plot.every((line) => line.length <= 100)).toBe(true);
  expect(plot.filter((line) => line.includes("*"))).not.toHaveLength(0);
  expect(plot.at(-1)).toMatch(/^ +1e-7 +10 {2}learning rate$/);
  const svg = curveSvg(usual);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).toMatch(/suggestion 0\.\d+/);
  expect(svg).not.toMatch(/NaN|Infinity/);
});
