import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants } from "../adapters.js";
import { compare, worst } from "./compare.js";

/** Sums in f32 in another order than the reference's doubles; exponentials are less exact. */
const TOLERANCE = 2e-5;

interface Mask {
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly loss: string;
}

function graphOf({ classes, height, width, loss }: Mask): Graph {
  const text = `
    model M {
      input x: f32[N, 3, ${height}, ${width}]
      target mask: u32[N, ${height}, ${width}] in 0..${classes}
      conv(6, kernel=3, padding=1) -> tanh -> conv(${classes}, kernel=1) as logits
      loss ${loss}
      metric miou = miou(logits, mask)
      metric pixels = pixel_accuracy(logits, mask)
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

async function agree(mask: Mask, options: Parameters<typeof compare>[1] = {}): Promise<void> {
  const results = await compare(graphOf(mask), { count: 3, batch: 4, ...options });
  const farthest = Math.max(...results.map(({ error }) => error));
  expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
}

const WEIGHTS = "class_weights=[1, 0.5, 2, 3, 1]";

describe("masks agree with the reference", () => {
  const cases = {
    plain: "cross_entropy(logits, mask)",
    "ignored pixels": "cross_entropy(logits, mask, ignore=255)",
    "weights and smoothing": `cross_entropy(logits, mask, ${WEIGHTS}, label_smoothing=0.2)`,
    focal: "focal(logits, mask, ignore=255)",
    "focal with weights": `focal(logits, mask, gamma=0.5, ${WEIGHTS})`,
    dice: "dice(logits, mask, ignore=9)",
    "a sum with dice": "cross_entropy(logits, mask) + 2 * dice(logits, mask, smooth=1)",
    "a sum of two losses":
      `cross_entropy(logits, mask, ignore=9)` +
      ` + 0.3 * cross_entropy(logits, mask, ${WEIGHTS}, ignore=9)`,
  };
  test.each(Object.entries(cases))("%s", async (_, loss) => {
    await agree({ classes: 5, height: 7, width: 70, loss });
    if (!runsAllVariants) return;
    await agree({ classes: 5, height: 7, width: 70, loss }, { fusion: "none", count: 4 });
  });

  test("random shapes", async () => {
    const shapes = fc.record({
      classes: fc.integer({ min: 2, max: 70 }),
      height: fc.integer({ min: 1, max: 12 }),
      width: fc.integer({ min: 1, max: 140 }),
    });
    const loss = "cross_entropy(logits, mask, ignore=255) + dice(logits, mask, ignore=255)";
    const property = fc.asyncProperty(shapes, (shape) => agree({ ...shape, loss }));
    await fc.assert(property, { numRuns: runsAllVariants ? 8 : 2, seed: 12 });
  });
});
