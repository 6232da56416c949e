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

const CASES: Record<string, readonly [type: string, body: string]> = {
  "rows of whole vec4": ["u32[N, 9] in 0..7", "embedding(12) -> layernorm -> flatten"],
  "rows that end within a vec4": ["u32[N, 5] in 0..3", "embedding(7) -> tanh -> flatten"],
  "a token an example": ["u32[N] in 0..4", "embedding(6)"],
  "rows of more channels than a workgroup adds": [
    "u32[N, 3] in 0..5",
    "embedding(300, padding_index=1) -> global_avgpool",
  ],
  "more tokens than lanes look at together": [
    "u32[N, 900] in 0..4",
    "embedding(8, padding_index=3) -> relu -> global_avgpool",
  ],
  "more rows than tokens": ["u32[N, 2] in 0..1000", "embedding(5) -> flatten"],
  "one row": ["u32[N, 6] in 0..1", "embedding(3) -> attention(1) -> global_avgpool"],
};

const VARIANTS = {
  fused: { fusion: "all", keepGradients: false },
  "not fused": { fusion: "none", keepGradients: true },
} as const;

describe("embeddings agree with the reference", () => {
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
