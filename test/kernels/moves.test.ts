/** Moves of elements: several that are one, and those that are a part of another kernel. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph, RearrangeAttributes } from "../../compiler/ir/graph.js";
import type { Shape } from "../../compiler/ir/shape.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants, sampled } from "../adapters.js";
import { orderFrom, shapeOf } from "../ir/orders.js";
import { Chain } from "../passes/chain.js";
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
  "an activation behind a move": [
    "f32[N, 6, 4, 6]",
    "conv(12, kernel=1) -> pixel_shuffle(2) -> gelu -> conv(3, kernel=3, padding=1) -> flatten",
  ],
  "an activation before a move": [
    "f32[N, 7, 6]",
    `linear(10) -> layernorm -> tanh -> transpose -> linear(5) -> transpose
    linear(3) -> flatten`,
  ],
  "a sum with what is moved": [
    "f32[N, 8, 8]",
    "residual { linear(8) -> transpose -> linear(8) -> transpose } -> linear(3) -> flatten",
  ],
  "normalization of what is moved and changed": [
    "f32[N, 3, 6, 4]",
    "conv(16, kernel=1) -> pixel_shuffle(2) -> silu -> batchnorm -> conv(5, kernel=1) -> flatten",
  ],
  "dropout behind a move, and before one": [
    "f32[N, 8, 4, 6]",
    `conv(8, kernel=1) -> permute([0, 2, 3, 1]) -> dropout(0.4) -> conv(6, kernel=1)
    dropout(0.3) -> channel_shuffle(3) -> relu -> conv(3, kernel=1) -> flatten`,
  ],
  "quads of channels that stay together": [
    "f32[N, 8, 6, 10]",
    `conv(8, kernel=3, padding=1) -> ${MERGE} -> permute([0, 1, 3, 2]) -> gelu
    conv(4, kernel=3, padding=1) -> flatten`,
  ],
  "channels that end within a quad": [
    "f32[N, 6, 4, 6]",
    "conv(6, kernel=1) -> channel_shuffle(3) -> sigmoid -> conv(5, kernel=1) -> flatten",
  ],
  "a part, each other row, and what becomes of it": [
    "f32[N, 6, 7, 6]",
    `conv(10, kernel=1) -> slice(rows, 1, step=2) -> permute([0, 3, 1, 2]) -> softplus
    conv(3, kernel=1) -> flatten`,
  ],
  "a pixel shuffle by hand, with an activation between": [
    "f32[N, 6, 4, 6]",
    `conv(12, kernel=1) -> reshape([3, 2, 2, 4, 6]) -> silu -> permute([0, 1, 4, 2, 5, 3])
    reshape([3, 8, 12]) -> conv(3, kernel=3, padding=1) -> flatten`,
  ],
  "windows of an image, and back": [
    "f32[N, 3, 4, 6]",
    `conv(8, kernel=1) -> permute([0, 2, 3, 1]) -> reshape([2, 2, 2, 3, 8])
    permute([0, 1, 3, 2, 4, 5]) -> reshape([24, 8]) -> linear(12) -> tanh
    reshape([2, 2, 2, 3, 12]) -> permute([0, 5, 1, 3, 2, 4]) -> reshape([12, 4, 6])
    conv(3, kernel=1) -> flatten`,
  ],
  "axes of many sizes in reverse": [
    "f32[N, 8, 9]",
    `linear(15) -> reshape([2, 2, 2, 3, 5]) -> permute([0, 5, 4, 3, 2, 1]) -> softsign
    transpose(1, 4) -> reshape([10, 12]) -> linear(3) -> flatten`,
  ],
  "parts along axes of many, joined and padded": [
    "f32[N, 8, 9]",
    `linear(15) -> reshape([2, 2, 2, 3, 5]) as x -> slice(4, 1) -> tanh -> concat(x, axis=4)
    split(axis=-2, sizes=[2, 3]) { branch { relu } branch { sigmoid } } as y
    slice(-1, 0, 5, step=2) -> concat(y, axis=-1) -> pad([1, 2], axis=2, mode=circular)
    pad([0, 1], axis=-1, value=0.5) -> softsign -> flatten`,
  ],
  "branches of quads": [
    "f32[N, 8, 4, 6]",
    `conv(16, kernel=1)
    split { branch { conv(8, kernel=3, padding=1) -> relu } branch { } }
    conv(3, kernel=1) -> flatten`,
  ],
  "branches that end within a quad, and rows": [
    "f32[N, 8, 4, 6]",
    `conv(12, kernel=1)
    split { branch { tanh } branch { conv(6, kernel=1) } }
    split(axis=rows) { branch { conv(5, kernel=1) } branch { conv(5, kernel=1) -> tanh } }
    conv(3, kernel=1) -> flatten`,
  ],
  "branches that are joined and shuffled": [
    "f32[N, 8, 4, 6]",
    `conv(12, kernel=1)
    concat { branch { conv(8, kernel=3, padding=1) } branch { conv(8, kernel=1) -> tanh } }
    channel_shuffle(2)
    split { branch { } branch { conv(8, kernel=3, padding=1) -> relu } } -> channel_shuffle(2)
    conv(3, kernel=1) -> flatten`,
  ],
  "branches that are joined and shuffled within quads, and normalized": [
    "f32[N, 8, 4, 6]",
    `conv(10, kernel=1)
    split { branch { } branch { conv(5, kernel=1) -> relu -> batchnorm } } -> channel_shuffle(2)
    split { branch { } branch { conv(5, kernel=1) -> tanh } } -> channel_shuffle(2) -> sigmoid
    batchnorm -> conv(3, kernel=3, padding=1) -> flatten`,
  ],
  "three branches of unequal width, shuffled": [
    "f32[N, 8, 4, 6]",
    `conv(6, kernel=1)
    concat { branch { conv(2, kernel=1) } branch { conv(7, kernel=1) } branch { tanh } }
    channel_shuffle(3) -> relu -> conv(3, kernel=3, padding=1) -> flatten`,
  ],
  "shuffled branches, and the same as they were": [
    "f32[N, 8, 4, 6]",
    `concat { branch { conv(4, kernel=1) } branch { conv(8, kernel=1) } }
    residual { channel_shuffle(2) } -> conv(3, kernel=1) -> flatten`,
  ],
  "branches shuffled for two layers": [
    "f32[N, 8, 4, 6]",
    `concat { branch { conv(4, kernel=1) } branch { conv(6, kernel=1) } }
    channel_shuffle(5)
    concat { branch { conv(2, kernel=3, padding=1) } branch { conv(1, kernel=1) } } -> flatten`,
  ],
  "layers of the last axis of many": [
    "f32[N, 6, 4, 6]",
    `conv(18, kernel=1) -> reshape([2, 3, 2, 2, 18])
    residual { layernorm -> linear(12) -> glu -> linear(18) } -> tanh
    linear(6) as a -> softmax -> multiply(a) as b
    let y = (a + b) * sigmoid(a)
    from y -> permute([0, 2, 1, 4, 3, 5]) -> linear(2) -> softmax -> flatten`,
  ],
  "many axes joined along some, and repeated": [
    "f32[N, 6, 4, 6]",
    `conv(18, kernel=1) -> reshape([2, 3, 2, 2, 18]) as x
    let y = x / sqrt(mean(x^2, over=[1, 3]) + 0.1) - 0.1 * logsumexp(x, over=-1)
    from y -> max([2, 4]) -> multiply(y) -> linear(2) as z -> sum(1) as a
    from z -> min([2, 3, 5]) -> add(a) -> flatten`,
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
  for (const [name, [type, body]] of sampled(Object.entries(CASES), 2)) {
    for (const [variant, options] of Object.entries(VARIANTS)) {
      test.runIf(runsAllVariants || variant === "fused")(`${name}, ${variant}`, async () => {
        const results = await compare(graphOf(type, body), { ...options, count: 3, batch: 4 });
        const farthest = Math.max(...results.map(({ error }) => error));
        expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
      });
    }
  }
});

/** Steps of a random chain: elements in another order, and functions between. */
type Step = "tanh" | RearrangeAttributes;

const stepsFrom = (shape: Shape, count: number): fc.Arbitrary<readonly Step[]> =>
  count === 0
    ? fc.constant([])
    : fc.oneof(orderFrom(shape), fc.constant("tanh" as const)).chain((step: Step) => {
        const next = typeof step === "string" ? shape : step.shape;
        return stepsFrom(next, count - 1).map((others) => [step, ...others]);
      });

const random = fc
  .constantFrom(24, 48, 96)
  .chain(shapeOf)
  .chain((shape) => fc.tuple(fc.constant(shape), stepsFrom(shape, 5)));

const chains = fc.sample(random, { seed: 40, numRuns: 16 });

test.each(
  sampled(
    chains.map((each, index) => [index, each] as const),
    2,
  ),
)("random chain %i", async (_, [shape, steps]) => {
  const chain = new Chain(shape).bias();
  for (const step of steps) {
    if (typeof step === "string") chain.unary("tanh");
    else chain.rearrange(step);
  }
  const graph = chain.bias().flatten().classify();
  const results = await compare(graph, { ...VARIANTS.fused, count: 3, batch: 4 });
  const farthest = Math.max(...results.map(({ error }) => error));
  expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
});
