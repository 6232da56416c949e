/** What a report says of tags and of numbers, for known predictions. */
import { expect, test } from "vitest";
import { compareNumbers, regressionsOf } from "../../cli/training/report/numbers.js";
import type { Comparing } from "../../cli/compared-batches.js";
import type { CompiledSpec } from "../../cli/compiled.js";
import { tagResults } from "../../cli/tag-results.js";
import { analyze } from "../../compiler/index.js";
import { evenScale } from "../../report/page/scale.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { tensorsFor } from "../tensors.js";

type Row = readonly number[];

/** Examples are their own predictions: the image is given, the truth is the target. */
function comparing(predictions: readonly Row[], truths: readonly Row[]): Comparing {
  const channels = predictions[0]!.length;
  const dataset: Dataset = {
    name: "known",
    classes: [],
    length: truths.length,
    get: (index) =>
      Promise.resolve({
        image: { width: 1, height: 1, channels, pixels: Float32Array.of(index), maximum: 1 },
        label: 0,
        numbers: Float32Array.from(truths[index]!),
      }),
  };
  let next = 0;
  const network = {
    batch: 4,
    program: { tensors: tensorsFor({ channels, height: 1, width: 1 }) },
    predict: (images: Float32Array) => {
      const rows = predictions.slice(next, (next += images.length / channels));
      return Promise.resolve(Float32Array.from(rows.flat()));
    },
  };
  return { network, dataset, transforms: [] } as unknown as Comparing;
}

const Y = { output: "out", target: "y", names: ["price", "rent"] };

test("each number has its error, its points and what is not finite", async () => {
  const truths = [1, 2, 3, 4, 5, 6].map((each) => [each, 7]);
  const predicted = truths.map(([a], index) => [a! + (index % 2 ? -0.5 : 1), NaN]);
  predicted[5]![1] = 9;
  predicted[0]![0] = Infinity;
  const found = await compareNumbers(comparing(predicted, truths), [Y]);
  const points = [2, 3, 4, 5, 6].map((a, index) => [a, a + (index % 2 ? 1 : -0.5)]);
  expect(found).toEqual({
    examples: 6,
    numbers: [
      { name: "price", error: 3.5 / 5, notFinite: 1, points },
      { name: "rent", error: 2, notFinite: 5, points: [[7, 9]] },
    ],
  });
  // As the page reads it.
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test("a number without a finite prediction has no error", async () => {
  const one = { ...Y, names: ["y"] };
  const found = await compareNumbers(comparing([[NaN], [NaN]], [[1], [2]]), [one]);
  expect(found!.numbers).toEqual([{ name: "y", error: null, notFinite: 2, points: [] }]);
});

test("of many, some points of the first six are kept, and all errors", async () => {
  const truths = Array.from({ length: 1203 }, (_, row) => Array<number>(8).fill(row));
  const predictions = truths.map((row) => row.map((each, column) => each + column));
  const names = Array.from({ length: 8 }, (_, column) => `c${column}`);
  const found = await compareNumbers(comparing(predictions, truths), [{ ...Y, names }]);
  expect(found!.numbers.map(({ error }) => error)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(found!.numbers.map(({ points }) => points?.length)).toEqual([
    ...Array<number>(6).fill(401),
    undefined,
    undefined,
  ]);
  expect(found!.numbers[5]!.points!.at(-1)).toEqual([1200, 1205]);
});

test("an aborted signal leaves both out", async () => {
  const signal = AbortSignal.abort();
  const parts = comparing([[1, 1]], [[1, 1]]);
  expect(await compareNumbers(parts, [Y], signal)).toBeUndefined();
  expect(await tagResults(comparing([[1, 1]], [[1, 1]]), [Y], signal)).toEqual([]);
});

test("tags have accuracy, precision and recall", async () => {
  const logits = [
    [2, -1],
    [3, -2],
    [-1, -1],
    [NaN, -3],
    [1, -1],
  ];
  const wanted = [1, 0, 1, 1, 1].map((each) => [each, 0]);
  expect(await tagResults(comparing(logits, wanted), [{ ...Y, names: ["cat", "dog"] }])).toEqual([
    { name: "cat", support: 4, accuracy: 0.4, precision: 2 / 3, recall: 0.5 },
    { name: "dog", support: 0, accuracy: 1, precision: null, recall: null },
  ]);
});

function ofModel(scores: string, target = "target y: f32[N, 2]") {
  const text = `model M {
  input x: f32[N, 3]
  ${target}
  linear(2) as out
  ${scores}
}
`;
  const { models, diagnostics } = analyze(text, "m.net");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return { model: models[0] } as unknown as Pick<CompiledSpec, "model">;
}

test.each([
  ["loss mse(out, y)", true],
  ["loss mean((out - y)^2)\n  metric error = mae(out, y)", true],
  // The formula says what the output is: it may be a logarithm.
  ["loss mean((exp(out) - y)^2)", false],
  ["loss bce_with_logits(out, y)\n  metric error = mae(out, y)", false],
  ["loss mse(out, y) + mean(abs(out))", true],
])("%s", (scores, isCompared) => {
  const expected = isCompared ? [{ output: "out", target: "y", names: ["y 0", "y 1"] }] : [];
  expect(regressionsOf(ofModel(scores), undefined)).toEqual(expected);
});

test("numbers are called as their columns, and labels do not count", () => {
  const model = ofModel("loss l1(out, y)");
  const [found] = regressionsOf(model, { columns: { y: ["price", "rent"] } });
  expect(found!.names).toEqual(["price", "rent"]);
  const classes = ofModel("loss cross_entropy(out, y)", "target y: u32[N] in 0..2");
  expect(regressionsOf(classes, undefined)).toEqual([]);
});

test.each<[string, readonly number[], readonly string[]]>([
  ["fractions", [0.11, 0.82], ["0", "0.5", "1"]],
  ["around zero", [-3, 4], ["-5", "0", "5"]],
  ["a constant", [7], ["6", "6.5", "7", "7.5", "8"]],
  ["zero alone", [0, 0], ["-1", "0", "1"]],
  ["large numbers", [310_000, 1_200_000], ["0", "500K", "1M", "1.5M"]],
  ["close numbers", [2000.01, 2000.04], ["2000.01", "2000.02", "2000.03", "2000.04"]],
])("axes of %s", (_, values, texts) => {
  const { ticks, shareOf } = evenScale(values);
  expect(ticks.map(({ text }) => text)).toEqual(texts);
  expect([ticks[0]!.share, ticks.at(-1)!.share]).toEqual([0, 1]);
  for (const value of values) {
    expect(shareOf(value)).toBeGreaterThanOrEqual(0);
    expect(shareOf(value)).toBeLessThanOrEqual(1);
  }
});
