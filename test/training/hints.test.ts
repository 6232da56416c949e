import { expect, test } from "vitest";
import {
  findOneClass,
  findOneSided,
  findOverfitting,
  findStuckLoss,
} from "../../cli/training/hints/epochs.js";
import {
  findDeadRelu,
  findExploding,
  idleShare,
  movementOf,
  weightsBeforeRelu,
} from "../../cli/training/hints/weights.js";
import { analyze } from "../../compiler/semantics/index.js";

const facts = { classes: 10, shares: undefined, fractions: ["top1"] };

test("a loss of ln(classes) is stuck once there was time to learn", () => {
  const at = (loss: number, warmSteps = 400) => ({
    step: 500,
    epoch: 3,
    training: { loss },
    warmSteps,
  });
  expect(findStuckLoss(at(2.31), facts)).toMatchObject({
    name: "stuck-loss",
    text: expect.stringContaining("ln(10 classes), the loss of guessing, is 2.303") as string,
  });
  for (const healthy of [at(2.31, 50), at(2.2), at(2.6)]) {
    expect(findStuckLoss(healthy, facts)).toBeUndefined();
  }
  expect(findStuckLoss(at(2.31), { ...facts, classes: undefined })).toBeUndefined();
  expect(findStuckLoss(at(0), { ...facts, shares: [1] })).toBeUndefined();
  const shares = [0.91, ...Array<number>(9).fill(0.01)];
  expect(findStuckLoss(at(0.5), { ...facts, shares })!.text).toMatch(/entropy of the classes'/);
});

test("training far better than the evaluation is overfitting, unless chance explains it", () => {
  const at = (trained: number, evaluations: readonly number[], examples: number) =>
    evaluations.map((evaluated, index) => ({
      epoch: 5 + index,
      training: { top1: trained },
      evaluation: { examples, metrics: { top1: evaluated } },
    }));
  expect(findOverfitting(at(0.99, [0.6, 0.59, 0.61], 400), facts)!.text).toBe(
    "in epochs 5 to 7, top1 is 99.0% in training and 60.0% in the evaluation",
  );
  expect(findOverfitting(at(0.99, [0.85, 0.85, 0.85], 400), facts)).toBeUndefined();
  expect(findOverfitting(at(1, [0.6, 0.6, 0.6], 10), facts)).toBeUndefined();
  // One evaluation that goes wrong while the learning rate is high.
  expect(findOverfitting(at(0.9, [0.85, 0.86, 0.45], 400), facts)).toBeUndefined();
  expect(findOverfitting(at(0.99, [0.6, 0.6], 400), facts)).toBeUndefined();
  const unevaluated = [5, 6, 7].map((epoch) => ({ epoch, training: { top1: 1 } }));
  expect(findOverfitting(unevaluated, facts)).toBeUndefined();
});

test("most predictions of one class are told, unless most examples are of it", () => {
  const names = ["cat", "dog"];
  const of = (...confusion: number[][]) => findOneClass(confusion, names);
  expect(of([20, 0], [19, 1])!.text).toBe(
    "97.5% of the predictions are cat, which 50.0% of the examples are",
  );
  expect(of([20, 0], [5, 15])).toBeUndefined();
  expect(of([38, 0], [2, 0])).toBeUndefined();
  expect(of([2, 0], [2, 0])).toBeUndefined();
});

/** A weight of two outputs with three inputs. */
const change = (before: readonly number[], after: readonly number[], name = "conv1.weight") => ({
  name,
  shape: [2, 3],
  before: Float32Array.from(before),
  after: Float32Array.from(after),
});

const START = [0.1, -0.2, 0.3, 0.2, 0.1, -0.1];
/** The first output decays by 1%, the second has learned. */
const HALF_DEAD = change(
  START,
  START.map((value, index) => (index < 3 ? 0.99 * value : value + 0.05 * index)),
);

test("weights that only decay are idle, and those that learn are not", () => {
  expect(movementOf(HALF_DEAD.before, HALF_DEAD.before)).toBe(0);
  expect(idleShare(HALF_DEAD)).toBe(0.5);
  const watched = new Set(["conv1.weight"]);
  const hint = findDeadRelu([HALF_DEAD], watched, 2)!;
  expect(hint.text).toMatch(/no gradient reached 50.0% of the outputs of conv1.weight in epoch 2/);
  expect(findDeadRelu([HALF_DEAD], new Set(), 2)).toBeUndefined();
  // A network that has converged: nothing moves any more.
  expect(findDeadRelu([change(START, START)], watched, 2)).toBeUndefined();
  const grown = START.map((value) => 1.2 * value);
  expect(findDeadRelu([change(START, grown)], watched, 2)).toBeUndefined();
});

test("weights explode where their norm grows beyond what training does", () => {
  const times = (factor: number) =>
    change(
      START,
      START.map((value) => factor * value),
    );
  expect(findExploding([times(3), times(50)], 4)!.text).toMatch(
    /after epoch 4, the norm of conv1.weight is 22.36, from 0.4472/,
  );
  expect(findExploding([times(3)], 4)).toBeUndefined();
  const zeros = Array<number>(6).fill(0);
  expect(findExploding([change(zeros, START)], 4)).toBeUndefined();
});

test("only weights whose outputs all go into a ReLU are watched", () => {
  const { selected } = analyze(
    `model Net {
      input  image: f32[N, 3, 8, 8]
      target label: u32[N] in 0..2
      conv(4, kernel=3) as seen -> batchnorm -> relu
      conv(4, kernel=3, lr=0) as frozen -> relu
      conv(4, kernel=1) as pooled -> maxpool(2)
      flatten -> linear(8) as hidden -> relu6 -> linear(2) as logits
      loss cross_entropy(logits, label)
    }`,
    "net.net",
  );
  expect([...weightsBeforeRelu(selected!.model)]).toEqual(["seen.weight", "hidden.weight"]);
});

test("a step is won where its loss is nearly 0 and another's is large", () => {
  const of = (d: number, g: number) =>
    findOneSided({ epoch: 3, training: { loss: d + g, d, g } }, ["d", "g"]);
  expect(of(0.002, 7.5)!.text).toMatch(/in epoch 3 the loss of step d is 0.002, .*step g 7.5/);
  expect(of(1.38, 0.7)).toBeUndefined();
  // Wasserstein losses go through 0.
  expect(of(0.002, 0.1)).toBeUndefined();
  expect(of(-0.5, 7.5)).toBeUndefined();
  expect(findOneSided({ epoch: 3, training: { loss: 0.002 } }, [])).toBeUndefined();
});
