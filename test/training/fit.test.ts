import { expect, test } from "vitest";
import { evaluateDataset } from "../../runtime/training/evaluate.js";
import { fit } from "../../runtime/training/fit.js";
import type { EpochReport, StepReport, TrainingState } from "../../runtime/training/fit.js";
import { countingDataset } from "../data/pattern.js";
import { FakeNetwork, numberedDataset, recipe } from "./fake.js";

const dataset = numberedDataset(10);

test("a run does every epoch over every example, in another order each time", async () => {
  const network = new FakeNetwork(4);
  const result = await fit(network, dataset, recipe);
  expect(result).toEqual({ state: { step: 9, epoch: 3, position: 0 }, completed: true });
  expect(network.seen.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const epochs = [0, 3, 6].map((start) =>
    network.seen.slice(start, start + 3).flatMap(({ labels }) => labels),
  );
  for (const epoch of epochs) {
    expect([...epoch].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  expect(new Set(epochs.map(String)).size).toBe(3);
});

test("the learning rate follows the schedule step by step", async () => {
  const network = new FakeNetwork(4);
  await fit(network, dataset, recipe);
  const rates = network.seen.map(({ learningRate }) => learningRate);
  expect(rates).toEqual([0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05]);
});

test("a step's images come in the slices that the recipe asks for", async () => {
  const seen = async (slices: { accumulate?: number }) => {
    const network = new FakeNetwork(4);
    await fit(network, dataset, { ...recipe, ...slices });
    return network.seen.map(({ accumulate }) => accumulate);
  };
  expect(new Set(await seen({ accumulate: 2 }))).toEqual(new Set([2]));
  expect(new Set(await seen({}))).toEqual(new Set([undefined]));
});

test("each step is submitted before the one before it is answered, and no earlier", async () => {
  const network = new FakeNetwork(4);
  await fit(network, dataset, recipe);
  expect(network.overlap).toBe(2);
});

test("steps and epochs are reported in order, with means over the epoch's examples", async () => {
  const steps: StepReport[] = [];
  const epochs: EpochReport[] = [];
  await fit(new FakeNetwork(4), dataset, recipe, {
    onStep: (report) => steps.push(report),
    onEpoch: (report) => void epochs.push(report),
  });
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(steps.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  expect(steps[0]).toMatchObject({ steps: 9, learningRate: 0.2 });
  expect(steps.every(({ examplesPerSecond }) => examplesPerSecond > 0)).toBe(true);
  expect(epochs.map(({ step, epoch }) => [step, epoch])).toEqual([
    [3, 1],
    [6, 2],
    [9, 3],
  ]);
  // The mean label is 4.5 although the last batch holds two examples, not four.
  for (const { training } of epochs) expect(training["loss"]).toBeCloseTo(4.5, 12);
});

test("evaluation weighs batches by their size and follows each epoch", async () => {
  const network = new FakeNetwork(4);
  const epochs: EpochReport[] = [];
  const result = await fit(network, dataset, recipe, {
    evaluation: countingDataset(6),
    onEpoch: (report) => void epochs.push(report),
  });
  expect(network.evaluations).toBe(6);
  // Labels 0 1 2 0 | 1 2; the first pixels of the batches are 0 and 4.
  expect(result.evaluation!.examples).toBe(6);
  expect(result.evaluation!.metrics["loss"]).toBeCloseTo(1, 12);
  expect(result.evaluation!.metrics["top1"]).toBeCloseTo((0 * 4 + 4 * 2) / 6, 12);
  expect(epochs.map(({ evaluation }) => evaluation?.examples)).toEqual([6, 6, 6]);
});

test("a run stopped anywhere and resumed does the steps of one that was not", async () => {
  const whole = new FakeNetwork(4);
  await fit(whole, dataset, recipe);
  for (let stopAfter = 1; stopAfter < 9; stopAfter++) {
    const abort = new AbortController();
    const saved: TrainingState[] = [];
    const first = new FakeNetwork(4);
    const part = await fit(first, dataset, recipe, {
      signal: abort.signal,
      onStep: ({ step }) => step === stopAfter && abort.abort(),
      checkpoint: (state) => void saved.push(state),
    });
    expect(part.completed).toBe(false);
    expect(saved.at(-1)).toEqual(part.state);
    expect(part.state.step).toBe(first.seen.length);
    const second = new FakeNetwork(4);
    const rest = await fit(second, dataset, recipe, { start: part.state });
    expect(rest).toEqual({ state: { step: 9, epoch: 3, position: 0 }, completed: true });
    expect([...first.seen, ...second.seen]).toEqual(whole.seen);
  }
});

test("a finished run that is resumed only evaluates", async () => {
  const network = new FakeNetwork(4);
  const start = { step: 9, epoch: 3, position: 0 };
  const result = await fit(network, dataset, recipe, { start, evaluation: countingDataset(6) });
  expect(network.seen).toEqual([]);
  expect(result).toMatchObject({ completed: true, evaluation: { examples: 6 } });
});

test("checkpoints follow each epoch, and time within an epoch", async () => {
  const states = async (checkpointSeconds?: number) => {
    const saved: TrainingState[] = [];
    await fit(
      new FakeNetwork(4),
      dataset,
      { ...recipe, epochs: 1 },
      {
        checkpoint: (state) => void saved.push(state),
        ...(checkpointSeconds !== undefined && { checkpointSeconds }),
      },
    );
    return saved;
  };
  expect(await states()).toEqual([{ step: 3, epoch: 1, position: 0 }]);
  expect((await states(0)).map(({ step }) => step)).toEqual([1, 2, 3]);
});

test("a number of steps ends the run, evaluated, and may exceed the recipe's epochs", async () => {
  const network = new FakeNetwork(4);
  const short = await fit(network, dataset, recipe, { steps: 4, evaluation: countingDataset(6) });
  expect(short).toMatchObject({ state: { step: 4, epoch: 1, position: 1 }, completed: true });
  expect(short.evaluation).toBeDefined();
  const long = await fit(new FakeNetwork(4), dataset, recipe, { steps: 11 });
  expect(long.state).toEqual({ step: 11, epoch: 3, position: 2 });
});

test("a loss that is not finite ends the run with step and learning rate", async () => {
  const network = new FakeNetwork(4, (step) => (step === 4 ? NaN : undefined));
  await expect(fit(network, dataset, recipe)).rejects.toMatchObject({
    name: "RunFailedError",
    message: "the loss is NaN after step 5, at a learning rate of 0.1: the run has diverged",
    hint: expect.stringContaining("smaller learning rate"),
  });
});

test("unreadable examples shorten a run but do not hang it", async () => {
  const missing = countingDataset(8, 2, [0, 1, 2, 3, 4, 5, 6]);
  const network = new FakeNetwork(2);
  const result = await fit(network, missing, { ...recipe, batch: 2 });
  expect(result).toMatchObject({ completed: true, state: { step: 3, epoch: 3, position: 0 } });
});

test("an error of the network ends the run", async () => {
  const network = new FakeNetwork(4);
  network.step = () => Promise.reject(new Error("device lost"));
  await expect(fit(network, dataset, recipe)).rejects.toThrow("device lost");
});

test("a batch larger than the network's, and data without examples, are refused", async () => {
  await expect(fit(new FakeNetwork(2), dataset, recipe)).rejects.toThrow(/batch is 4, .* up to 2/);
  await expect(fit(new FakeNetwork(4), numberedDataset(0), recipe)).rejects.toThrow(/no examples/);
  await expect(evaluateDataset(new FakeNetwork(4), numberedDataset(0))).rejects.toThrow(
    /no examples/,
  );
});
