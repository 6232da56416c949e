import { tensorsFor } from "../tensors.js";
import { expect, test } from "vitest";
import type { Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { evaluateDataset } from "../../runtime/training/evaluate.js";
import { patternImage } from "../data/pattern.js";

const TRANSFORMS = [{ kind: "ten_crop", size: 4 }] as const;
const SHAPE = { channels: 3, height: 4, width: 4 };
const image = patternImage(7, 6);
const dataset: Dataset = {
  name: "pictures",
  classes: ["a", "b"],
  length: 3,
  get: (index) => Promise.resolve({ image, label: index % 2 }),
};

/** The pixel of the image's channel 0 at the corner of a crop, as the network sees it. */
const at = (x: number, y: number) => image.pixels[(y * 7 + x) * 3]! / 255;

test("ten crops are torchvision's, in its order, and a batch has a label for all ten", async () => {
  const options = {
    batch: 2,
    shape: SHAPE,
    transforms: TRANSFORMS,
    seed: 0,
    epoch: 0,
    shuffle: false,
  };
  const batches = [];
  for await (const batch of loadBatches(dataset, options)) batches.push(batch);
  expect(batches.map(({ count, labels }) => [count, [...labels]])).toEqual([
    [2, [0, 1]],
    [1, [0]],
  ]);
  const values = batches[0]!.images as Float32Array;
  expect(values.length).toBe(2 * 10 * 48);
  const corners = Array.from({ length: 10 }, (_, view) => values[view * 48]!);
  const expected = [
    [0, 0], [3, 0], [0, 2], [3, 2], [2, 1],
    [6, 0], [3, 0], [6, 2], [3, 2], [4, 1],
  ].map(([x, y]) => Math.fround(at(x!, y!))); // prettier-ignore
  expect(corners).toEqual(expected);
});

/** Scores of two classes that depend on the first pixel of each view. */
const network = {
  batch: 25,
  program: {
    tensors: tensorsFor(SHAPE, { values: 2 }),
    accuracies: { top1: 1 },
  },
  measure: () => Promise.reject(new Error("views are averaged, not evaluated")),
  predict: (images: unknown) => {
    const values = images as Float32Array;
    const views = values.length / 48;
    const rows = Array.from({ length: views }, (_, view) => [2 * values[view * 48]!, 1]);
    return Promise.resolve(Float32Array.from(rows.flat()));
  },
};

test("evaluation takes the mean of the views' probabilities", async () => {
  const evaluation = (await evaluateDataset(network, dataset, { transforms: TRANSFORMS }))!;
  const corners = [0, 3].flatMap((left) => [at(left, 0), at(left, 2)]);
  const mirrored = [3, 6].flatMap((left) => [at(left, 0), at(left, 2)]);
  const firsts = [...corners, at(2, 1), ...mirrored, at(4, 1)];
  const probability =
    firsts.reduce((sum, first) => sum + 1 / (1 + Math.exp(1 - 2 * first)), 0) / firsts.length;
  const loss = -(2 * Math.log(probability) + Math.log(1 - probability)) / 3;
  expect(evaluation.examples).toBe(3);
  expect(evaluation.metrics["loss"]).toBeCloseTo(loss, 5);
  expect(evaluation.metrics["top1"]).toBeCloseTo(probability > 0.5 ? 2 / 3 : 1 / 3, 5);
});

test("a batch that holds no ten views is refused", async () => {
  const small = { ...network, batch: 9 };
  await expect(evaluateDataset(small, dataset, { transforms: TRANSFORMS })).rejects.toThrow(
    /at least 10/,
  );
});

test("views of an output without scores of classes are refused", async () => {
  const { program } = network;
  const tensors = program.tensors.map((tensor) =>
    tensor.role === "prediction" ? { ...tensor, gives: "values" as const } : tensor,
  );
  const other = { ...network, program: { ...program, tensors } };
  await expect(evaluateDataset(other, dataset, { transforms: TRANSFORMS })).rejects.toThrow(
    "expected an output with scores of classes, and got `logits`",
  );
});

test("views of probabilities are averaged as they are", async () => {
  const { program } = network;
  const tensors = program.tensors.map((tensor) =>
    tensor.role === "prediction" ? { ...tensor, gives: "probabilities" as const } : tensor,
  );
  const rows = (images: unknown) => {
    const views = (images as Float32Array).length / 48;
    return Promise.resolve(
      Float32Array.from({ length: 2 * views }, (_, at) => [0.2, 0.8][at % 2]!),
    );
  };
  const other = { ...network, program: { ...program, tensors }, predict: rows };
  const evaluation = (await evaluateDataset(other, dataset, { transforms: TRANSFORMS }))!;
  // Labels are 0, 0 and 1.
  expect(evaluation.metrics["loss"]).toBeCloseTo(-(2 * Math.log(0.2) + Math.log(0.8)) / 3, 5);
  expect(evaluation.metrics["top1"]).toBeCloseTo(1 / 3, 5);
});
