/** Moves of elements: several that are one, and those that are a part of another kernel. */
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { compare, worst } from "./compare.js";

/** As for other sequences: sums of up to 2,700 values in f32. */
const TOLERANCE = 2e-5;

function graphOf(type: string, body: string): Graph {
  const text = `model M {
    input x: ${type}
    target label: u32[N] in 0..5
    ${body} -> linear(5) as logits
    loss cross_entropy(logits, label)
  }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

const MERGE = "permute([0, 1, 3, 2]) -> pixel_unshuffle(2) -> channel_shuffle(8)";

const CASES: Record<string, readonly [type: string, body: string]> = {
  "patches of an image, column by column": [
    "f32[N, 8, 6, 10]",
    `conv(8, kernel=1) -> ${MERGE} -> permute([0, 1, 3, 2]) -> conv(4, kernel=1) -> flatten`,
  ],
  "a reshape, a permutation and a reshape": [
    "f32[N, 12, 5]",
    `linear(8) -> reshape([3, 4, 8]) -> permute([0, 2, 1, 3]) -> reshape([12, 8])
    linear(3) -> flatten`,
  ],
  "a part of what is in another order": [
    "f32[N, 6, 4, 6]",
    `conv(12, kernel=1) -> pixel_shuffle(2) -> slice(rows, 1, 7, step=2)
    conv(3, kernel=1) -> flatten`,
  ],
  "what is undone": [
    "f32[N, 6, 4, 6]",
    "conv(12, kernel=1) -> pixel_shuffle(2) -> pixel_unshuffle(2) -> conv(3, kernel=1) -> flatten",
  ],
};

const VARIANTS = {
  fused: { fusion: "all", keepGradients: false },
  "not fused": { fusion: "none", keepGradients: true },
} as const;

describe("moves agree with the reference", () => {
  for (const [name, [type, body]] of Object.entries(CASES)) {
    for (const [variant, options] of Object.entries(VARIANTS)) {
      test(`${name}, ${variant}`, async () => {
        const results = await compare(graphOf(type, body), { ...options, count: 3, batch: 4 });
        const farthest = Math.max(...results.map(({ error }) => error));
        expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
      });
    }
  }
});
