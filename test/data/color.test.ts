import { expect, test } from "vitest";
import { JITTER_PARTS } from "../../program/transforms.js";
import { jitterColors } from "../../runtime/data/color.js";
import { beta } from "../../runtime/data/decide-mixing.js";
import { ExampleRandom } from "../../runtime/data/random.js";
import { patternImage } from "./pattern.js";

/**
 * Every seventh value of torchvision.transforms.functional's images of floats, for the pattern of
 * 5x4 pixels.
 */
const TORCHVISION = {
  brightness: [0.0, 0.79686, 1.0, 1.0, 0.40157, 0.52078, 0.81569, 0.80314, 0.25725],
  contrast: [0.35189, 0.5013, 0.65071, 0.56248, 0.42718, 0.44953, 0.50483, 0.50248, 0.40012],
  saturation: [0.0, 0.53267, 1.0, 0.65257, 0.28559, 0.27708, 0.3574, 0.53659, 0.0],
  hue: [0.04988, 0.70588, 0.58039, 0.9098, 0.45882, 0.91373, 0.55969, 0.7098, 0.44651],
  all: [0.08286, 0.25137, 0.78064, 0.39795, 0.0, 0.092, 0.77616, 0.25671, 0.77072],
};

const NEUTRAL = { order: 0b11100100, brightness: 1, contrast: 1, saturation: 1, hue: 0 };

/** The parts' numbers, the first to come in the lowest bits. */
const orderOf = (...parts: (typeof JITTER_PARTS)[number][]) =>
  parts.reduce((code, part, turn) => code | (JITTER_PARTS.indexOf(part) << (2 * turn)), 0);

test.each([
  ["brightness", { brightness: 1.6 }],
  ["contrast", { contrast: 0.3 }],
  ["saturation", { saturation: 1.9 }],
  ["hue", { hue: -0.27 }],
  [
    "all",
    {
      order: orderOf("saturation", "contrast", "hue", "brightness"),
      brightness: 0.8,
      contrast: 1.7,
      saturation: 0.4,
      hue: 0.31,
    },
  ],
] as const)("%s is torchvision's", (name, changes) => {
  const { pixels } = jitterColors(patternImage(5, 4), { ...NEUTRAL, ...changes });
  const sample = [...pixels].filter((_, index) => index % 7 === 0);
  sample.forEach((value, index) => expect(value).toBeCloseTo(TORCHVISION[name][index]!, 4));
});

test("shares of mixtures follow the beta distribution", () => {
  for (const alpha of [0.2, 1, 4]) {
    const draws = Array.from({ length: 4000 }, (_, example) =>
      beta(alpha, new ExampleRandom(1, 0, example, 2)),
    );
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 0.7);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThanOrEqual(1);
  }
});
