import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants } from "../adapters.js";
import { compare, worst } from "./compare.js";

/** As for masks: sums in f32 in another order than the reference's doubles. */
const TOLERANCE = 2e-5;

interface Sequence {
  readonly classes: number;
  readonly length: number;
  readonly loss: string;
}

function graphOf({ classes, length, loss }: Sequence): Graph {
  const text = `
    model M {
      input words: u32[N, ${length}] in 0..9
      target next: u32[N, ${length}] in 0..${classes}
      embedding(6) -> linear(7) -> tanh -> linear(${classes}) as teacher
      linear(${classes}) as logits
      loss ${loss}
      metric right = accuracy(logits, next)
      metric top2 = accuracy(logits, next, k=2)
      metric surprise = perplexity(logits, next)
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

async function agree(
  sequence: Sequence,
  options: Parameters<typeof compare>[1] = {},
): Promise<void> {
  const results = await compare(graphOf(sequence), { count: 3, batch: 4, ...options });
  const farthest = Math.max(...results.map(({ error }) => error));
  expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
}

const WEIGHTS = "class_weights=[1, 0.5, 2, 3, 1]";

describe("classes of tokens agree with the reference", () => {
  const cases = {
    plain: "cross_entropy(logits, next)",
    "ignored tokens": "cross_entropy(logits, next, ignore=255)",
    "weights and smoothing": `cross_entropy(logits, next, ${WEIGHTS}, label_smoothing=0.2)`,
    focal: `focal(logits, next, gamma=0.5, ${WEIGHTS})`,
    dice: "dice(logits, next, ignore=9)",
    "a formula": "mean((logits - one_hot(next, ignore=9))^2)",
    "a formula that sums over tokens":
      "mean(1 - sum(sigmoid(logits) * one_hot(next), over=tokens))",
    distillation: "cross_entropy(logits, next) + kl(logits, teacher, temperature=2)",
  };
  test.each(Object.entries(cases))("%s", async (_, loss) => {
    await agree({ classes: 5, length: 70, loss });
    if (!runsAllVariants) return;
    await agree({ classes: 5, length: 70, loss }, { fusion: "none", count: 4 });
  });

  test("random shapes", async () => {
    const shapes = fc.record({
      classes: fc.integer({ min: 2, max: 70 }),
      length: fc.integer({ min: 1, max: 140 }),
    });
    const loss = "cross_entropy(logits, next, ignore=255) + dice(logits, next, ignore=255)";
    const property = fc.asyncProperty(shapes, (shape) => agree({ ...shape, loss }));
    await fc.assert(property, { numRuns: runsAllVariants ? 8 : 3, seed: 12 });
  });
});
