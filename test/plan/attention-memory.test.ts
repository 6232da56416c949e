import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { trainingBytes } from "../../program/planned-memory.js";

const BATCH = 8;

/** Planned bytes of a training step of one attention over this many tokens. */
function plannedBytes(layer: string, input: string): number {
  const text = `model M {
    input  x: f32[N, ${input}]
    target label: u32[N] in 0..10
    ${layer} -> global_avgpool -> flatten -> linear(10) as logits
    loss cross_entropy(logits, label)
  }`;
  const { program, diagnostics } = compile(text, { file: "m.net" });
  expect(diagnostics).toEqual([]);
  return trainingBytes(program!, { batch: BATCH, slices: 1 });
}

test.each([
  ["attention(6)", (tokens: number) => `${tokens}, 384`],
  ["attention(6, causal=true, dropout=0.1)", (tokens: number) => `${tokens}, 384`],
  ["attention(6, window=8, shift=4)", (tokens: number) => `384, 32, ${tokens / 32}`],
])("memory of %s grows with the tokens, not with their square", (layer, input) => {
  const [first, second, third] = [1024, 2048, 3072].map((tokens) =>
    plannedBytes(layer, input(tokens)),
  ) as [number, number, number];
  expect((third - second) / (second - first)).toBeCloseTo(1, 1);
  // The scores alone would take four times as much and more.
  const scores = BATCH * 6 * 3072 ** 2 * 4;
  expect(third).toBeLessThan(scores / 4);
});
