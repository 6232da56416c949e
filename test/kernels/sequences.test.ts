import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants, sampled } from "../adapters.js";
import { compare, worst } from "./compare.js";

/** Sums in f32 in another order than the reference's doubles; exponentials are less exact. */
const TOLERANCE = 2e-5;

/** A network of sequences whose `body` begins with the input `[N, ...input]`. */
function graphOf(input: string, body: string): Graph {
  const text = `
    model M {
      input x: f32[N, ${input}]
      target label: u32[N] in 0..4
      ${body}
      linear(4) as logits
      loss cross_entropy(logits, label)
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

const CASES: Record<string, readonly [input: string, body: string]> = {
  "linear, layernorm, softmax and activations on the last axis": [
    "7, 12",
    "linear(20) -> gelu -> layernorm -> linear(8) -> softmax -> flatten",
  ],
  "channels that are not a multiple of four": [
    "5, 7",
    "linear(6) -> tanh -> layernorm -> linear(5) -> flatten",
  ],
  "axes in another order": [
    "5, 8",
    "linear(12) -> transpose -> linear(6) -> relu -> permute([0, 2, 1]) -> linear(3)\n" +
      "reshape([9, 2]) -> linear(4) -> reshape([3, 4, 3]) -> conv(5, kernel=2)\n" +
      "permute([0, 3, 1, 2]) -> conv(4, kernel=1) -> flatten",
  ],
  "patches, a class token and positions": [
    "3, 8, 12",
    "parameter first: f32[1, 16] init normal(1)\n" +
      "parameter positions: f32[7, 16] init normal(0.5)\n" +
      "patches(4, 16) as patches\n" +
      "from first -> concat(patches, axis=tokens) -> add(positions) -> linear(9) -> token(0)",
  ],
  "parameters that are not a multiple of four": [
    "3, 4, 6",
    "parameter one: f32[5] init normal(1)\n" +
      "parameter odd: f32[6, 5] init normal(1)\n" +
      "patches(2, 5) -> multiply(odd) as all -> token(3) -> add(one) as some\n" +
      "from all -> global_avgpool -> concat(some)",
  ],
  "products of matrices": [
    "11, 10",
    "linear(7) -> tanh as keys\n" +
      "from x -> linear(7) -> matmul(keys, transposed=true) as scores -> softmax as shares\n" +
      "from x -> linear(13) as values\n" +
      "from shares -> matmul(values) -> matmul(values, transposed=true) -> layernorm\n" +
      "global_avgpool",
  ],
  "products of larger matrices": [
    "70, 36",
    "linear(40) as y -> transpose as turned -> matmul(y) -> softmax as mixed\n" +
      "from y -> matmul(mixed) -> matmul(mixed, transposed=true) -> global_avgpool",
  ],
  "products of several matrices an example": [
    "11, 12",
    "linear(20) -> reshape([11, 4, 5]) -> permute([0, 2, 1, 3]) as a -> tanh as keys\n" +
      "from a -> matmul(keys, transposed=true) as scores -> sigmoid -> matmul(keys)\n" +
      "permute([0, 2, 1, 3]) -> reshape([11, 20]) -> global_avgpool",
  ],
  "products of matrices along many axes, one for several": [
    "12, 7",
    "linear(10) -> reshape([3, 2, 2, 1, 10]) -> reshape([3, 2, 2, 2, 5]) as a\n" +
      "max([1, 3]) as b -> matmul(a, transposed=true) -> tanh -> matmul(a) as c\n" +
      "from b -> mean(2) as d\nfrom c -> matmul(d, transposed=true) -> flatten",
  ],
  "products of larger matrices, three an example": [
    "75, 36",
    "linear(44) -> reshape([3, 1, 25, 44]) as y -> transpose(3, 4)\n" +
      "matmul(y) -> softmax as mixed\n" +
      "from y -> matmul(mixed) -> matmul(mixed, transposed=true) -> layernorm\n" +
      "reshape([75, 44]) -> global_avgpool",
  ],
  "attention of two heads": ["13, 16", "linear(16) -> attention(2) -> flatten"],
  "causal attention of odd heads, no bias": [
    "70, 9",
    "linear(9) -> attention(3, causal=true, bias=false) -> global_avgpool",
  ],
  "attention by another scale": [
    "13, 16",
    "linear(16) -> attention(2, scale=0.8) -> attention(1, causal=true, scale=0.1) -> flatten",
  ],
  "attention in windows by another scale": [
    "3, 6, 8",
    "conv(6, kernel=1) -> attention(2, window=[3, 4], shift=[1, 2], scale=1.5) -> flatten",
  ],
  "attention that drops shares": [
    "13, 16",
    "linear(16) -> attention(2, dropout=0.3) -> attention(1, causal=true, dropout=0.2) -> flatten",
  ],
  "attention in windows that drops shares": [
    "4, 5, 6",
    "conv(6, kernel=1) -> attention(2, window=[3, 4], shift=[1, 2], dropout=0.3) -> flatten",
  ],
  "attention in windows": [
    "4, 6, 9",
    "conv(12, kernel=1) -> attention(3, window=3) -> global_avgpool -> flatten",
  ],
  "attention in shifted windows that cross the border, odd heads": [
    "3, 7, 5",
    "conv(6, kernel=1) -> attention(2, window=[4, 2], shift=[1, 1]) -> flatten",
  ],
  "attention in windows larger than the image": [
    "5, 3, 8",
    "conv(8, kernel=1) -> attention(1, window=4, shift=3, bias=false)\n" +
      "conv(3, kernel=3) -> flatten",
  ],
  "reductions along all axes, and what they are spread to": [
    "3, 9, 6",
    "conv(7, kernel=1) as x\n" +
      "let y = x / sqrt(mean(x^2, over=channels) + 0.1) + max(x, over=[rows, columns])\n" +
      "let z = where(y > 0.2, y, logsumexp(y, over=channels) - min(y, over=columns))\n" +
      "tokens -> slice(tokens, 1, step=2) as parts -> log_softmax\n" +
      "multiply(parts) -> sum(tokens) -> prelu -> flatten",
  ],
  "images in another order": [
    "3, 8, 6",
    "conv(12, kernel=3, padding=1) -> channel_shuffle(3) -> pixel_shuffle(2) -> relu\n" +
      "conv(5, kernel=3) -> crop(1) -> pixel_unshuffle(2) -> slice(channels, 3, -3) -> glu\n" +
      "instancenorm(affine=true) -> lp_pool(2, 2) -> flatten",
  ],
  "a transformer's encoder": [
    "65, 8",
    "residual { layernorm(eps=1e-6) -> attention(2) }\n" +
      "residual { layernorm(eps=1e-6) -> linear(12) -> gelu -> linear(8) }\n" +
      "token(64)",
  ],
};

const VARIANTS = {
  fused: { fusion: "all", keepGradients: false },
  "not fused": { fusion: "none", keepGradients: true },
} as const;

describe("sequences agree with the reference", () => {
  for (const [name, [input, body]] of sampled(Object.entries(CASES), 2)) {
    for (const [variant, options] of Object.entries(VARIANTS)) {
      test.runIf(runsAllVariants || variant === "fused")(`${name}, ${variant}`, async () => {
        const results = await compare(graphOf(input, body), { ...options, count: 3, batch: 4 });
        const farthest = Math.max(...results.map(({ error }) => error));
        expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
      });
    }
  }
});
