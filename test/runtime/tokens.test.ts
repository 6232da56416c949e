import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network, type NetworkOptions } from "../../runtime/index.js";
import { createNetwork as createPredictor } from "../../runtime/predict-node.js";
import { runsAllVariants } from "../adapters.js";

const [WORDS, TOKENS] = [12, 20];

/** A small transformer that sees tokens, their places and each other. */
const ORDER = `
model Order {
  input  words: u32[N, ${WORDS}] in 0..${TOKENS}
  target label: u32[N] in 0..2
  parameter places: f32[${WORDS}, 16] init normal(0.1)

  embedding(16, padding_index=0) as rows
  add(places) -> residual { layernorm -> attention(2) }
  layernorm -> mean(tokens) -> flatten -> linear(32) -> relu -> linear(2) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
train Recipe of Order {
  epochs    = 1
  batch     = 64
  optimizer = adam(lr=0.02)
}
`;

type AnyNetwork = Network<string, string, Uint32Array, Uint32Array>;

async function open(text: string, options: NetworkOptions = {}): Promise<AnyNetwork> {
  const { programs, diagnostics } = compile(text, { file: "order.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return (await createNetwork(programs, { batch: 64, seed: 1, ...options })) as never;
}

/** Numbers that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const [A, B] = [1, 2];

/** Sentences in which A and B come once each; the label is whether A comes first. */
function sentences(count: number, random: () => number) {
  const words = new Uint32Array(count * WORDS);
  const labels = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const own = words.subarray(index * WORDS, (index + 1) * WORDS);
    for (let place = 0; place < WORDS; place++)
      own[place] = 3 + Math.floor(random() * (TOKENS - 3));
    const first = Math.floor(random() * WORDS);
    const second = (first + 1 + Math.floor(random() * (WORDS - 1))) % WORDS;
    own[first] = A;
    own[second] = B;
    labels[index] = first < second ? 1 : 0;
  }
  return { words, labels };
}

test.runIf(runsAllVariants)(
  "a transformer learns the order of two tokens",
  async () => {
    const network = await open(ORDER);
    try {
      const random = numbers(7);
      for (let step = 0; step < 120; step++) {
        const { words, labels } = sentences(64, random);
        await network.step(words, labels);
      }
      const { words, labels } = sentences(256, random);
      let right = 0;
      for (let first = 0; first < 256; first += 64) {
        const part = words.subarray(first * WORDS, (first + 64) * WORDS);
        const { top1 } = await network.evaluate(part, labels.subarray(first, first + 64));
        right += 64 * top1!;
      }
      expect(right / 256).toBeGreaterThan(0.9);
      // The row of padding is of zeros still.
      const rows = await network.read("rows.weight");
      expect([...rows.subarray(0, 16)]).toEqual(Array.from({ length: 16 }, () => 0));
    } finally {
      network.destroy();
    }
  },
  120_000,
);

test("training has the same bits in each run, and in slices nearly the same", async () => {
  const train = async (accumulate: number) => {
    const network = await open(ORDER, { accumulate });
    const random = numbers(3);
    for (let step = 0; step < 3; step++) {
      const { words, labels } = sentences(64, random);
      // The same token in many places: its gradient is a sum of many.
      words.fill(5, 0, 400);
      await network.step(words, labels);
    }
    const rows = await network.read("rows.weight");
    network.destroy();
    return rows;
  };
  const [first, second, sliced] = [await train(1), await train(1), await train(3)];
  expect(second).toEqual(first);
  const apart = sliced.map((value, index) => Math.abs(value - first[index]!));
  expect(Math.max(...apart)).toBeLessThan(2e-3);
});

describe("what is not a token is refused", () => {
  const refused: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      "a token beyond the range",
      () => new Uint32Array(2 * WORDS).fill(TOKENS, WORDS + 3, WORDS + 4),
      /^`words`: token 3 of example 1 is 20: tokens are integers from 0 to 19$/,
    ],
    ["a negative token", () => new Int32Array(WORDS).fill(-1), /token 0 of example 0 is -1/],
    ["a float", () => new Float32Array(WORDS).fill(1.5), /token 0 of example 0 is 1.5/],
    [
      "a part of an example",
      () => new Uint32Array(5),
      /`words` has 5 tokens: expected 12 for each/,
    ],
    ["nothing", () => new Uint32Array(0), /`words` has 0 tokens/],
    [
      "bytes",
      () => new Uint8Array(WORDS),
      /must be a Uint32Array or an Int32Array, not Uint8Array/,
    ],
    ["a list", () => [1, 2, 3], /must be a Uint32Array or an Int32Array, not Array/],
    ["another name", () => ({ word: new Uint32Array(WORDS) }), /not Object/],
  ];

  test("by predict, before anything is uploaded", async () => {
    const network = await open(ORDER);
    try {
      for (const [, make, message] of refused)
        await expect(network.predict(make() as never)).rejects.toThrow(message);
      const words = new Int32Array(WORDS).map((_, place) => place);
      const [own, named] = [words, { words }].map((given) => network.predict(given as never));
      expect(await named).toEqual(await own);
    } finally {
      network.destroy();
    }
  });
});

test("a module that only predicts takes tokens, and its types say so", async () => {
  const compiled = compile(ORDER, { file: "order.net", predictOnly: true });
  expect(compiled.declarations).toMatch(
    /Predictor<OrderParameter, Uint32Array \| Int32Array, Float32Array>/,
  );
  expect(compiled.declarations).toContain("`words` is 12 tokens an example, 0 to 19.");
  expect(compiled.module).toContain("tokens: true,");
  const network = await open(ORDER);
  const predictor = await createPredictor<string, Uint32Array>(compiled.programs, { batch: 2 });
  try {
    await predictor.load(await network.save());
    const words = new Uint32Array(2 * WORDS).map((_, place) => place % TOKENS);
    expect(await predictor.predict(words)).toEqual(await network.predict(words));
    const wrong = words.map((word) => word + 1);
    await expect(predictor.predict(wrong)).rejects.toThrow(/is 20: tokens are integers/);
  } finally {
    network.destroy();
    predictor.destroy();
  }
});

test("resuming from a file continues with the same bits", async () => {
  const [whole, first] = [await open(ORDER), await open(ORDER)];
  const second = await open(ORDER);
  try {
    const random = numbers(11);
    const batches = Array.from({ length: 4 }, () => sentences(64, random));
    for (const { words, labels } of batches) await whole.step(words, labels);
    for (const { words, labels } of batches.slice(0, 2)) await first.step(words, labels);
    await second.load(await first.save({ optimizer: true }));
    for (const { words, labels } of batches.slice(2)) await second.step(words, labels);
    expect(await second.read("rows.weight")).toEqual(await whole.read("rows.weight"));
  } finally {
    for (const network of [whole, first, second]) network.destroy();
  }
});

test("tokens change after the call without a change of its result", async () => {
  const network = await open(ORDER);
  try {
    const words = new Uint32Array(WORDS).map((_, place) => place);
    const expected = await network.predict(words);
    const result = network.predict(words);
    words.fill(7);
    expect(await result).toEqual(expected);
  } finally {
    network.destroy();
  }
});

test("tokens and numbers are inputs of one network, and two inputs share a table", async () => {
  const network = (await open(`
    model Two {
      input left: u32[N, 3] in 0..9
      input right: u32[N, 3] in 0..9
      input kind: u32[N] in 0..4
      input size: f32[N, 2]
      target label: u32[N] in 0..2
      share encoder { embedding(6) -> global_avgpool }
      from left -> encoder as a
      from right -> encoder as b
      from kind -> embedding(6) as c
      from size -> linear(6) -> add(a) -> add(b) -> add(c) -> linear(2) as logits
      loss cross_entropy(logits, label)
    }`)) as unknown as Network<string, string, Uint32Array, Readonly<Record<string, Float32Array>>>;
  try {
    const given = {
      left: Uint32Array.from([0, 1, 2, 3, 4, 5]),
      right: Uint32Array.from([8, 8, 8, 0, 1, 2]),
      kind: Int32Array.from([3, 0]),
      size: Float32Array.from([0.5, 1, -1, 2]),
    } as never;
    const before = await network.predict(given);
    const { loss } = await network.step(given, Uint32Array.from([0, 1]));
    expect(loss).toBeGreaterThan(0);
    expect(await network.predict(given)).not.toEqual(before);
    const wrong = { ...(given as object), kind: Int32Array.from([3, 4]) } as never;
    await expect(network.predict(wrong)).rejects.toThrow(/^`kind`: token 1 is 4: tokens are/);
    const missing = { ...(given as object), left: undefined } as never;
    await expect(network.predict(missing)).rejects.toThrow(/`left`/);
  } finally {
    network.destroy();
  }
});
