import type { ProgramTensor } from "../../program/program.js";
import { tensorsFor } from "../tensors.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeEvaluation } from "../../cli/evaluation-text.js";
import {
  classResults,
  evaluateClassifier,
  examineDataset,
  worstConfusions,
} from "../../runtime/evaluation/index.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { measured } from "../training/fake.js";

/** Five pictures of two pixels: the scores of two classes. The third cannot be read. */
const SCORES = [
  [3, 1],
  [0, 4],
  [0, 0],
  [2, 0],
  [5, 0],
] as const;
const LABELS = [0, 1, 0, 1, 1];
const dataset: Dataset = {
  name: "scores",
  classes: ["cat", "dog"],
  length: 5,
  get: (index) => {
    const pixels = Float32Array.from(SCORES[index]!);
    const image = { width: 2, height: 1, channels: 1, pixels, maximum: 1 };
    return Promise.resolve(index === 2 ? undefined : { image, label: LABELS[index]! });
  },
};
const network = {
  batch: 2,
  program: { tensors: tensorsFor({ channels: 1, height: 1, width: 2 }, { classes: 3, values: 2 }) },
  predict: (images: Float32Array) => Promise.resolve(images),
  measure: (_: Float32Array, of: Uint32Array) =>
    Promise.resolve(measured({ loss: of[0]! }, of.length)),
};

test("metrics are measured only where they are wanted", async () => {
  const evaluations: number[] = [];
  const judge = {
    ...network,
    measure(images: Float32Array, of: Uint32Array) {
      evaluations.push(of.length);
      return network.measure(images, of);
    },
  };
  const examined = await examineDataset(judge, dataset);
  expect(evaluations).toEqual([]);
  const { metrics, ...evaluated } = (await evaluateClassifier(judge, dataset))!;
  expect(evaluated).toEqual(examined);
  expect(evaluations).toEqual([2, 1, 1]);
  expect(metrics).toEqual({ loss: (0 * 2 + 1 + 1) / 4 });
});

test("an examination counts predictions and keeps the most confident mistakes", async () => {
  const examination = await examineDataset(network, dataset, { mistakes: 1 });
  expect(examination).toMatchObject({
    examples: 4,
    confusion: [
      [1, 0, 0],
      [2, 1, 0],
      [0, 0, 0],
    ],
    classes: [
      { name: "cat", support: 1, precision: 1 / 3, recall: 1 },
      { name: "dog", support: 3, precision: 1, recall: 1 / 3 },
      { name: "class 2", support: 0, precision: null, recall: null },
    ],
    mistakes: [{ example: 4, actual: 1, predicted: 0 }],
  });
  expect(examination!.mistakes[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(-5)), 6);
});

test("of tokens, each is judged but those that are ignored", async () => {
  const rows: Dataset = {
    name: "rows",
    classes: ["a", "b"],
    length: 3,
    get: (index) => {
      const pixels = Float32Array.from({ length: 4 }, (_, at) => [1, 0, 0, index][at]!);
      const image = { width: 1, height: 1, channels: 4, pixels, maximum: 1 };
      const numbers = Uint32Array.from(
        [
          [0, 9],
          [9, 9],
          [1, 0],
        ][index]!,
      );
      return Promise.resolve({ image, label: 0, numbers });
    },
  };
  const next: ProgramTensor = {
    name: "next",
    role: "target",
    dtype: "u32",
    buffer: 1,
    shape: [2],
    axes: ["column"],
    classes: { count: 2, ignore: 9 },
  };
  const logits: ProgramTensor = {
    name: "logits",
    role: "prediction",
    dtype: "f32",
    buffer: 2,
    gives: "logits",
    shape: [2, 2],
    axes: ["column", "channel"],
    pitch: 4,
  };
  const tensors = [...tensorsFor({ channels: 4, height: 1, width: 1 }), next, logits];
  const judge = { ...network, program: { tensors } };
  const judged: unknown[] = [];
  const examination = await examineDataset(judge, rows, {
    mistakes: 9,
    onExample: ({ example, token, actual, predicted }) => {
      judged.push([example, token, actual, predicted]);
    },
  });
  // The second example has no token that counts, and the last batch is not full.
  expect(judged).toEqual([
    [0, 0, 0, 0],
    [2, 0, 1, 0],
    [2, 1, 0, 1],
  ]);
  expect(examination).toMatchObject({
    examples: 3,
    tokens: { counted: 3, ignored: 3 },
    confusion: [
      [1, 1],
      [1, 0],
    ],
    classes: [{ support: 2 }, { support: 1 }],
  });
  expect(examination!.mistakes.map(({ example, token }) => [example, token])).toEqual([
    [2, 1],
    [2, 0],
  ]);
  expect(describeEvaluation({ ...examination!, metrics: {} }, [], 80)).toMatch(
    /tokens {4}3\nignored {3}3 tokens[^]*class +tokens +precision/,
  );
});

test("mistakes name examples of the dataset, also after unreadable ones", async () => {
  const all = await examineDataset(network, dataset, { mistakes: 9 });
  expect(all!.mistakes.map(({ example }) => example)).toEqual([4, 3]);
  const part = { mistakes: 9, examples: 2 } as const;
  const some = await examineDataset(network, dataset, part);
  expect(some!.examples).toBe(1);
});

test("ten crops of an example are judged by their mean", async () => {
  // Pixels 1 to 9 in rows; each class's score is a corner of the crop.
  const pixels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const image = { width: 3, height: 3, channels: 1, pixels, maximum: 1 };
  const pictures: Dataset = {
    name: "crops",
    classes: ["a", "b", "c", "d"],
    length: 3,
    get: (index) => {
      const label = index === 0 ? 3 : 0;
      return Promise.resolve(index === 1 ? undefined : { image, label });
    },
  };
  const judge = {
    batch: 25,
    measure: () => Promise.reject(new Error("not of single crops")),
    program: {
      tensors: tensorsFor({ channels: 1, height: 2, width: 2 }, { classes: 4, values: 4 }),
      accuracies: { top1: 1, top3: 3 },
    },
  };
  let passes = 0;
  const predict = (images: unknown) => {
    passes++;
    return Promise.resolve(images as Float32Array);
  };
  const examination = await evaluateClassifier({ ...judge, predict }, pictures, {
    transforms: [{ kind: "ten_crop", size: 2 }],
    mistakes: 2,
  });
  // Crops differ by constants only, and a mirrored one swaps its columns.
  const total = [0, 1, 3, 4].reduce((sum, value) => sum + Math.exp(value), 0);
  const lower = (Math.exp(3) + Math.exp(4)) / 2 / total;
  const upper = (1 + Math.exp(1)) / 2 / total;
  const { examples, metrics, mistakes } = examination!;
  expect(examples).toBe(2);
  expect(passes).toBe(2);
  expect(metrics["loss"]).toBeCloseTo(-(Math.log(lower) + Math.log(upper)) / 2, 5);
  expect(mistakes.map(({ example }) => example)).toContain(2);
});

test("an examination leaves transforms to the dataset, where it has a place for them", async () => {
  const stages: unknown[] = [];
  const transforms = [{ kind: "center_crop", size: 1 }] as const;
  const judge = {
    ...network,
    program: { tensors: tensorsFor({ channels: 1, height: 1, width: 1 }, { values: 1 }) },
  };
  await examineDataset(
    { ...judge, predict: (images: unknown) => Promise.resolve(images as Float32Array) },
    {
      ...dataset,
      get: () => Promise.reject(new Error("not whole")),
      prepare: (index, stage) => {
        stages.push([index, stage.transforms]);
        return Promise.resolve({
          image: { width: 1, height: 1, channels: 1, pixels: Float32Array.of(1), maximum: 1 },
          label: 0,
        });
      },
    },
    { transforms, examples: 2 },
  );
  expect(stages).toEqual([
    [0, transforms],
    [2, transforms],
  ]);
});

test("supports, hits and columns add up for any matrix", () => {
  const matrices = fc.integer({ min: 1, max: 6 }).chain((size) =>
    fc.array(fc.array(fc.nat(9), { minLength: size, maxLength: size }), {
      minLength: size,
      maxLength: size,
    }),
  );
  fc.assert(
    fc.property(matrices, (matrix) => {
      const total = matrix.flat().reduce((a, b) => a + b, 0);
      const results = classResults(matrix, []);
      expect(results.reduce((sum, { support }) => sum + support, 0)).toBe(total);
      const right = results.reduce((sum, { support, recall }) => sum + support * (recall ?? 0), 0);
      const wrong = worstConfusions(matrix).reduce((sum, { count }) => sum + count, 0);
      expect(right + wrong).toBeCloseTo(total, 9);
    }),
  );
});

test("names of classes that hold line breaks stay within their rows", () => {
  const confusion = [
    [2, 0],
    [1, 1],
  ];
  const classes = classResults(confusion, ["new\nline", "\u001b[31mred"]);
  const text = describeEvaluation(
    { examples: 4, metrics: { loss: 1 }, classes, confusion, mistakes: [] },
    [],
    80,
  );
  expect(text).toMatch(/^new\\u000aline +2 +66.7% +100.0%$/m);
  expect(text).toMatch(/^\\u001b\[31mred +1 +1$/m);
});

test("a matrix wider than the terminal gives way to the worst confusions", () => {
  const size = 60;
  const names = Array.from({ length: size }, (_, label) => `species ${label}`);
  const confusion = names.map((_, row) => names.map((_, column) => 9 * Number(row === column)));
  confusion[7]![3] = 4;
  const classes = classResults(confusion, names);
  const text = describeEvaluation(
    { examples: 544, metrics: { loss: 1, top1: 0.9 }, classes, confusion, mistakes: [] },
    ["top1"],
    80,
  );
  expect(text).toContain("the 20 of 60 classes that are recognized worst");
  expect(text).toMatch(/^species 7 +species 3 +4 +30.8%$/m);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});
