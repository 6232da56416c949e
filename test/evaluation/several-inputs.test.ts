/** Classes of examples of several inputs, as a table gives them. */
import { expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import {
  evaluateClassifier,
  examinedClasses,
  type Classifier,
} from "../../runtime/evaluation/index.js";

const specOf = (target: string, loss: string) => `model Two {
  input  a: f32[N, 2]
  input  b: f32[N, 1]
  target ${target}
  from a -> concat(b) -> linear(3) as logits
  loss   ${loss}
}
train Base of Two {
  epochs = 1
  batch = 4
  optimizer = sgd(lr=0.1)
}`;

function programOf(text: string) {
  expect(analyze(text, "two.net").diagnostics.map(({ message }) => message)).toEqual([]);
  return compile(text, { file: "two.net" }).programs[0]!;
}

const program = programOf(specOf("kind: u32[N] in 0..3", "cross_entropy(logits, kind)"));

/** The class that is right, and the one that the network finds. */
const ROWS = [
  [0, 0],
  [1, 0],
  [2, 2],
  [2, 1],
  [0, 0],
] as const;

const table: Dataset = {
  name: "t.csv",
  classes: ["ant", "bee", "cat"],
  length: ROWS.length,
  parts: {
    inputs: [
      { name: "a", size: 2, isWhole: false },
      { name: "b", size: 1, isWhole: false },
    ],
    targets: [{ name: "kind", size: 1, isWhole: true }],
  },
  get: (index) => {
    const pixels = Float32Array.of(0, 0, ROWS[index]![1]);
    const image = { width: 1, height: 1, channels: 3, maximum: 1, pixels };
    return Promise.resolve({ image, label: ROWS[index]![0] });
  },
};

test("are counted by what the network predicts from all inputs", async () => {
  const network = {
    program,
    batch: 4,
    predict: (images: unknown) => {
      const { a, b } = images as Readonly<Record<string, Float32Array>>;
      expect(a!.length).toBe(2 * b!.length);
      return Promise.resolve(
        Float32Array.from([...b!].flatMap((found) => [0, 1, 2].map((each) => +(each === found)))),
      );
    },
    measure: (_: unknown, targets: Uint32Array) => {
      const examples = targets.length;
      const loss = { metric: "loss", factor: 1, sum: examples, weight: examples };
      return Promise.resolve({ examples, notFinite: 0, sums: [loss] });
    },
  } as unknown as Classifier;
  const result = (await evaluateClassifier(network, table, { mistakes: 5 }))!;
  expect(result.examples).toBe(5);
  expect(result.classes.map(({ name, support }) => [name, support])).toEqual([
    ["ant", 2],
    ["bee", 1],
    ["cat", 2],
  ]);
  expect(result.classes.map(({ recall }) => recall)).toEqual([1, 0, 0.5]);
  expect(result.mistakes.map(({ example }) => example).sort()).toEqual([1, 3]);
});

test("are told apart of one target of classes alone, and not of pairs of pictures", () => {
  expect(examinedClasses(program)).toBe(3);
  expect(examinedClasses(program, { tuples: "siamese" })).toBeUndefined();
  const numbers = programOf(specOf("kind: f32[N, 3]", "mse(logits, kind)"));
  expect(examinedClasses(numbers)).toBeUndefined();
});
