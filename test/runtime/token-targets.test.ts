/** A class for each token: loss, gradients and metrics are PyTorch's, however a step is divided. */
import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { MetricsMean } from "../../runtime/training/mean.js";
import { sampled } from "../adapters.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues } from "../oracle/values.js";
import { readExpected } from "../parity/harness.js";
import { gradientError } from "../passes/gradients.js";

interface Expected {
  readonly loss: string;
  /** Before each step. */
  readonly losses: readonly number[];
  /** After all steps. */
  readonly evaluation: number;
  readonly accuracy: number;
  readonly top2: number;
  readonly perplexity: number;
  /** The label of tokens that do not count. */
  readonly ignore: number;
  readonly weights: Readonly<Record<string, Summary>>;
}

const [EXAMPLES, VOCABULARY, CLASSES, LENGTH] = [7, 9, 5, 11];
const IGNORED = 255;

const words = labelValues("tokens/words", EXAMPLES * LENGTH, VOCABULARY);
/** Of the fourth example, no token counts. */
const labelsIgnoring = (ignore: number) =>
  labelValues("tokens/labels", EXAMPLES * LENGTH, CLASSES + 1).map((label, index) =>
    label === CLASSES || Math.floor(index / LENGTH) === 3 ? ignore : label,
  );
const labels = labelsIgnoring(IGNORED);

const specOf = (loss: string, recipe = "") => `
  model M {
    input words: u32[N, ${LENGTH}] in 0..${VOCABULARY}
    target next: u32[N, ${LENGTH}] in 0..${CLASSES}
    embedding(8) as rows
    residual { attention(2, causal=true) as mixed }
    linear(${CLASSES}) as out
    loss ${loss}
    metric right = accuracy(out, next)
    metric top2 = accuracy(out, next, k=2)
    metric surprise = perplexity(out, next)
  }
  train Run of M {
    epochs = 1
    batch = ${EXAMPLES}
    optimizer = sgd(lr=0.3, momentum=0.9)
    ${recipe}
  }`;

type Tokens = Network<string, string, Uint32Array, Uint32Array>;

async function opened(loss: string, options: { readonly accumulate?: number } = {}, recipe = "") {
  const { programs, diagnostics } = compile(specOf(loss, recipe), { file: "m.net" });
  expect(diagnostics).toEqual([]);
  const network = await createNetwork(programs, { batch: EXAMPLES, ...options });
  for (const { name, shape } of network.parameters)
    await network.write(name, parameterValues(`tokens/${name}`, shape));
  return network as unknown as Tokens;
}

const cases = readExpected<Expected[]>("token-targets");

describe.each(cases)("$loss", (expected) => {
  const own = labelsIgnoring(expected.ignore);

  // In one piece, in uneven slices, and an example each: one of these has no token that counts.
  test.each(sampled([3, 1, 7], 3))("training in %i slices is PyTorch's", async (accumulate) => {
    const network = await opened(expected.loss, { accumulate });
    try {
      for (const wanted of expected.losses) {
        const { loss } = await network.step(words, own);
        expect(Math.abs(loss! - wanted)).toBeLessThan(2e-5 * Math.max(1, wanted));
      }
      const errors = await Promise.all(
        Object.entries(expected.weights).map(async ([name, summary]) =>
          relativeError(await network.read(name), summary),
        ),
      );
      expect(Math.max(...errors)).toBeLessThan(5e-5);
      // Calls of different sizes: means are over all tokens that count.
      const mean = MetricsMean.from();
      for (const [first, end] of [
        [0, 4],
        [4, 7],
      ] as const) {
        const part = [words, own].map((all) => all.subarray(first * LENGTH, end * LENGTH));
        mean.add(await network.measure(part[0]!, part[1]!));
      }
      const metrics = MetricsMean.from(JSON.parse(JSON.stringify(mean.state)) as never).values();
      expect(metrics["loss"]).toBeCloseTo(expected.evaluation, 4);
      expect(metrics["right"]).toBeCloseTo(expected.accuracy, 6);
      expect(metrics["top2"]).toBeCloseTo(expected.top2, 6);
      expect(metrics["surprise"]! / expected.perplexity).toBeCloseTo(1, 4);
    } finally {
      network.destroy();
    }
  });

  test("gradients are those of finite differences", () => {
    const { graph } = analyze(specOf(expected.loss), "m.net").selected!.model;
    const parameters = new Map(
      graph!.parameters.map(({ value }) => {
        const values = parameterValues(`tokens/${value.name}`, value.shape.map(Number));
        return [value.name, Float64Array.from(values)] as const;
      }),
    );
    const optimizer = { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 } as const;
    const context = { seed: 1, step: 0, training: true, optimizer } as never;
    const inputs = { images: words as never, labels: own, parameters, context };
    expect(gradientError(graph!, inputs)).toBeLessThan(1e-8);
  });
});

const IGNORING = `cross_entropy(out, next, ignore=${IGNORED})`;

test.each([IGNORED, 2])("a step whose tokens are all %i changes nothing", async (ignored) => {
  const network = await opened(`cross_entropy(out, next, ignore=${ignored})`);
  try {
    const before = await network.read("out.weight");
    const { loss, right, top2 } = (await network.step(
      words,
      labels.map(() => ignored),
    )) as Readonly<Record<string, number>>;
    expect([loss, right, top2]).toEqual([0, 0, 0]);
    expect(await network.read("out.weight")).toEqual(before);
  } finally {
    network.destroy();
  }
});

test("labels outside of the classes are refused by their place", async () => {
  const network = await opened("cross_entropy(out, next)");
  try {
    await expect(network.step(words, labels)).rejects.toThrow(/label \d+ is 255: .* 0 to 4/);
    const wrong = network.step(words, labels.subarray(1));
    await expect(wrong).rejects.toThrow("expected 77 labels for 7 examples, got 76");
    const classified = network.classify(words.subarray(0, LENGTH) as never);
    await expect(classified).rejects.toThrow("has scores of classes for each token");
  } finally {
    network.destroy();
  }
});

test("predictions are logits of each token, which those before it alone decide", async () => {
  const network = await opened(IGNORING);
  try {
    const one = words.slice(0, LENGTH);
    const logits = await network.predict(one);
    expect(logits).toHaveLength(LENGTH * CLASSES);
    one[6] = (one[6]! + 1) % VOCABULARY;
    const other = await network.predict(one);
    expect(other.subarray(0, 6 * CLASSES)).toEqual(logits.subarray(0, 6 * CLASSES));
    expect(other.subarray(6 * CLASSES)).not.toEqual(logits.subarray(6 * CLASSES));
  } finally {
    network.destroy();
  }
});

test("two outputs, their losses and a weighted sum of both train", async () => {
  const { programs, diagnostics, declarations } = compile(
    `model Two {
      input words: u32[N, 6] in 0..8
      target next: u32[N, 6] in 0..8
      target kind: u32[N] in 0..3
      share body { embedding(8) -> attention(2) }
      body as rows -> linear(8) as logits
      from rows -> global_avgpool -> linear(3) as kinds
      loss cross_entropy(logits, next, ignore=99) + 0.5 * cross_entropy(kinds, kind)
      metric right = accuracy(logits, next)
      metric top2 = accuracy(kinds, kind, k=2)
    }
    train Run of Two {
      epochs = 1
      batch = 4
      optimizer = adam(lr=0.03)
    }`,
    { file: "two.net" },
  );
  expect(diagnostics).toEqual([]);
  expect(declarations).toContain('{ readonly "next": ClassLabels; readonly "kind": ClassLabels }');
  const network = (await createNetwork(programs, { batch: 4 })) as unknown as Network<
    string,
    string,
    Readonly<Record<string, Uint32Array>>,
    Uint32Array
  >;
  try {
    const own = labelValues("tokens/two", 24, 8);
    const next = own.map((word, at) => (at === 5 ? 99 : word));
    const targets = { next, kind: Uint32Array.of(0, 1, 2, 0) };
    const { loss: before } = await network.step(own, targets);
    for (let step = 0; step < 40; step++) await network.step(own, targets);
    const { loss, right } = await network.evaluate(own, targets);
    expect(loss).toBeLessThan(before! / 2);
    expect(right).toBeGreaterThan(0.9);
    const outputs = (await network.predict(own)) as unknown as Record<string, Float32Array>;
    expect([outputs["logits"]!.length, outputs["kinds"]!.length]).toEqual([24 * 8, 12]);
  } finally {
    network.destroy();
  }
});

test.each([IGNORED, 2])("training in 16 bits is nearly that of 32, without %i", async (ignored) => {
  const own = labelsIgnoring(ignored);
  const losses = await Promise.all(
    ["", "precision = f16"].map(async (recipe) => {
      const network = await opened(`cross_entropy(out, next, ignore=${ignored})`, {}, recipe);
      for (let step = 0; step < 3; step++) await network.step(words, own);
      const { loss } = await network.evaluate(words, own);
      network.destroy();
      return loss!;
    }),
  );
  expect(Math.abs(losses[0]! - losses[1]!)).toBeLessThan(0.02);
});

test("types and words of a module say what a target of tokens is", () => {
  const { declarations } = compile(specOf(IGNORING), { file: "m.net" });
  expect(declarations).toContain("Network<MMetric, MParameter, Labels, Uint32Array | Int32Array>");
  expect(declarations).toContain("`next` is a class for each of 11 tokens, 0 to 4");
});
