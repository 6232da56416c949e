import { expect, test } from "vitest";
import { evaluateDataset } from "../../runtime/training/evaluate.js";
import { fit } from "../../runtime/training/fit.js";
import type {
  EpochReport,
  FitOptions,
  FitResult,
  StepReport,
} from "../../runtime/training/options.js";
import {
  INITIAL_STATE,
  parseState,
  serializeState,
  type TrainingState,
} from "../../runtime/training/state.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { countingDataset } from "../data/pattern.js";
import { FakeNetwork, numberedDataset, RECIPE } from "./fake.js";

const dataset = numberedDataset(10);

test("a run does every epoch over every example, in another order each time", async () => {
  const network = new FakeNetwork(4);
  const result = await fit(network, dataset, RECIPE);
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
  await fit(network, dataset, RECIPE);
  const rates = network.seen.map(({ learningRate }) => learningRate);
  expect(rates).toEqual([0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05]);
});

test("a step's images come in the slices that the recipe asks for", async () => {
  const seen = async (slices: { accumulate?: number }) => {
    const network = new FakeNetwork(4);
    await fit(network, dataset, { ...RECIPE, ...slices });
    return network.seen.map(({ accumulate }) => accumulate);
  };
  expect(new Set(await seen({ accumulate: 2 }))).toEqual(new Set([2]));
  expect(new Set(await seen({}))).toEqual(new Set([undefined]));
});

test("each step is submitted before the one before it is answered, and no earlier", async () => {
  const network = new FakeNetwork(4);
  await fit(network, dataset, RECIPE);
  expect(network.overlap).toBe(2);
});

test("steps and epochs are reported in order, with means over the epoch's examples", async () => {
  const steps: StepReport[] = [];
  const epochs: EpochReport[] = [];
  await fit(new FakeNetwork(4), dataset, RECIPE, {
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
  const result = await fit(network, dataset, RECIPE, {
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

/** As a checkpoint keeps it. */
const kept = (state: TrainingState) => parseState(serializeState(state))!;

test(
  "a run stopped anywhere and resumed does the steps of one that was not, " +
    "and reports the same",
  async () => {
    const evaluation = countingDataset(6);
    const epochs: EpochReport[] = [];
    const onEpoch = ({ seconds, ...report }: EpochReport) => {
      expect(seconds).toBeGreaterThan(0);
      epochs.push({ ...report, seconds: 0 });
    };
    const whole = new FakeNetwork(4);
    const complete = await fit(whole, dataset, RECIPE, { evaluation, onEpoch });
    const expected = epochs.splice(0);
    for (let stopAfter = 1; stopAfter < 9; stopAfter++) {
      const abort = new AbortController();
      const saved: TrainingState[] = [];
      const first = new FakeNetwork(4);
      const part = await fit(first, dataset, RECIPE, {
        signal: abort.signal,
        evaluation,
        onEpoch,
        onStep: ({ step }) => step === stopAfter && abort.abort(),
        checkpoint: (state) => void saved.push(state),
      });
      expect(part.completed).toBe(false);
      expect(saved.at(-1)).toEqual(part.state);
      expect(part.state.step).toBe(first.seen.length);
      const second = new FakeNetwork(4);
      const start = kept(part.state);
      const rest = await fit(second, dataset, RECIPE, { start, evaluation, onEpoch });
      expect(rest).toEqual(complete);
      expect([...first.seen, ...second.seen]).toEqual(whole.seen);
      expect(epochs.splice(0)).toEqual(expected);
    }
  },
);

test("a run stopped while it evaluates evaluates again when it is resumed", async () => {
  const abort = new AbortController();
  const epochs: EpochReport[] = [];
  const options = {
    evaluation: countingDataset(6),
    onEpoch: (report: EpochReport) => void epochs.push(report),
  };
  const part = await fit(new FakeNetwork(4), dataset, RECIPE, {
    ...options,
    signal: abort.signal,
    onEvaluationProgress: () => abort.abort(),
  });
  expect(part.state).toMatchObject({ step: 3, epoch: 0, position: 3 });
  expect(epochs).toEqual([]);
  await fit(new FakeNetwork(4), dataset, RECIPE, { ...options, start: kept(part.state) });
  expect(epochs.map(({ step, epoch }) => [step, epoch])).toEqual([
    [3, 1],
    [6, 2],
    [9, 3],
  ]);
  expect(epochs.every((epoch) => epoch.evaluation?.examples === 6)).toBe(true);
});

test("an epoch's seconds count what it took before the run was resumed", async () => {
  const seconds: number[] = [];
  const abort = new AbortController();
  const { state } = await fit(new FakeNetwork(4), dataset, RECIPE, {
    signal: abort.signal,
    onStep: () => abort.abort(),
  });
  expect(state.seconds).toBeGreaterThan(0);
  const start = kept({ ...state, seconds: 100 });
  await fit(new FakeNetwork(4), dataset, RECIPE, {
    start,
    onEpoch: (report) => void seconds.push(report.seconds),
  });
  expect(seconds.map((each) => each >= 100)).toEqual([true, false, false]);
});

test("a finished run that is resumed only evaluates", async () => {
  const network = new FakeNetwork(4);
  const start = { step: 9, epoch: 3, position: 0 };
  const result = await fit(network, dataset, RECIPE, { start, evaluation: countingDataset(6) });
  expect(network.seen).toEqual([]);
  expect(result).toMatchObject({ completed: true, evaluation: { examples: 6 } });
});

test("checkpoints: at the beginning, after epochs, and by time and steps within one", async () => {
  const states = async (when: Pick<FitOptions, "checkpointSeconds" | "checkpointSteps"> = {}) => {
    const saved: TrainingState[] = [];
    await fit(
      new FakeNetwork(4),
      dataset,
      { ...RECIPE, epochs: 1 },
      {
        checkpoint: (state) => void saved.push(state),
        ...when,
      },
    );
    return saved;
  };
  expect(await states()).toEqual([INITIAL_STATE, { step: 3, epoch: 1, position: 0 }]);
  const steps = async (when: Parameters<typeof states>[0]) =>
    (await states(when)).map(({ step }) => step);
  expect(await steps({ checkpointSeconds: 0 })).toEqual([0, 1, 2, 3]);
  expect(await steps({ checkpointSteps: 2 })).toEqual([0, 2, 3]);
});

// Rules that look at evaluations

/** One batch each. */
const evaluation = countingDataset(4);

const plateau: TrainRecipe = {
  ...RECIPE,
  epochs: 15,
  schedule: { kind: "reduce_on_plateau", factor: 0.5, patience: 1, threshold: 0.1, to: 0.2 },
};

const PLATEAU_LOSSES = [3, 2.9, 2.8, 2.5, 2.4, 2.3, 2.2, 1, 1, 1, 1, 1, 0.5, 0.49, 0.48];

/** Of a learning rate of 1, by cooldown, from torch.optim.lr_scheduler.ReduceLROnPlateau. */
const PLATEAU_RATES = {
  0: [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2],
  1: [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2],
  3: [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25],
};

test.each(Object.entries(PLATEAU_RATES))(
  "reduce_on_plateau with a cooldown of %s lowers the learning rate as PyTorch's does",
  async (cooldown, expected) => {
    const network = new FakeNetwork(4);
    network.evaluationLosses = PLATEAU_LOSSES;
    const schedule = { ...plateau.schedule, cooldown: Number(cooldown) };
    await fit(network, dataset, { ...plateau, schedule }, { evaluation });
    const first = network.seen.filter(({ step }) => step % 3 === 0);
    expect(first.map((each) => each.learningRate)).toEqual(expected.map((rate) => 0.2 * rate));
  },
);

const patient: TrainRecipe = {
  ...plateau,
  stop: { kind: "early_stopping", patience: 3, minimumChange: 0.25, metric: "loss" },
};

test("early stopping ends a run whose evaluations get no better", async () => {
  const network = new FakeNetwork(4);
  // A change of 0.2 does not count; that from 2 to 1.7 does.
  network.evaluationLosses = [2, 1.9, 1.8, 1.7, 3, 1.6, 1.5, 1];
  const result = await fit(network, dataset, patient, { evaluation });
  expect(result).toMatchObject({ completed: true, stoppedEarly: true, state: { epoch: 7 } });
  expect(network.evaluations).toBe(7);
});

test("without evaluations, rules watch the training loss; shares should rise", async () => {
  const stop = { ...patient.stop!, metric: "top1", minimumChange: 0 };
  // It is 0.5 in every step: the first is the best.
  const network = Object.assign(new FakeNetwork(4), {
    program: { tensors: new FakeNetwork(4).program.tensors, fractions: ["top1"] },
  });
  const result = await fit(network, dataset, { ...plateau, stop });
  expect(result.state.patience).toEqual({ best: 0.5, bad: 3 });
  expect(result.state.epoch).toBe(4);
});

test("a run with such rules, stopped anywhere and resumed, equals a whole one", async () => {
  const losses = [2, 1.9, 1.5, 1.45, 1.4, 1.35];
  const whole = new FakeNetwork(4);
  whole.evaluationLosses = losses;
  const result = await fit(whole, dataset, patient, { evaluation });
  expect(result.state).toMatchObject({ step: 18, epoch: 6, plateau: { factor: 0.5 } });
  for (let stopAfter = 1; stopAfter < 18; stopAfter++) {
    const abort = new AbortController();
    const first = new FakeNetwork(4);
    first.evaluationLosses = losses;
    const { state } = await fit(first, dataset, patient, {
      evaluation,
      signal: abort.signal,
      onStep: ({ step }) => step === stopAfter && abort.abort(),
    });
    const second = new FakeNetwork(4);
    second.evaluationLosses = losses.slice(first.evaluations);
    const rest = await fit(second, dataset, patient, {
      evaluation,
      start: parseState(serializeState(state))!,
    });
    expect([...first.seen, ...second.seen]).toEqual(whole.seen);
    expect(first.evaluations + second.evaluations).toBe(whole.evaluations);
    expect(rest).toEqual(result);
  }
});

test.each<TrainRecipe["evaluateEvery"]>([undefined, { count: 2, unit: "steps" }])(
  "a run of a number of steps, resumed, counts no evaluation of its end (%o)",
  async (evaluateEvery) => {
    const recipe = { ...patient, evaluateEvery, epochs: 6 };
    const lossesOf = (network: FakeNetwork) =>
      Object.assign(network, { evaluationLosses: Array<number>(30).fill(2) });
    const whole = lossesOf(new FakeNetwork(4));
    const result = await fit(whole, dataset, recipe, { evaluation });
    for (let steps = 1; steps < result.state.step; steps++) {
      const first = lossesOf(new FakeNetwork(4));
      const { state, completed } = await fit(first, dataset, recipe, { evaluation, steps });
      expect(completed).toBe(true);
      const second = lossesOf(new FakeNetwork(4));
      const start = parseState(serializeState(state))!;
      const rest = await fit(second, dataset, recipe, { evaluation, start });
      expect([...first.seen, ...second.seen]).toEqual(whole.seen);
      expect(rest.state.patience).toEqual(result.state.patience);
    }
  },
);

test("a number of steps ends the run, evaluated, and may exceed the recipe's epochs", async () => {
  const network = new FakeNetwork(4);
  const short = await fit(network, dataset, RECIPE, { steps: 4, evaluation: countingDataset(6) });
  expect(short).toMatchObject({ state: { step: 4, epoch: 1, position: 1 }, completed: true });
  expect(short.evaluation).toBeDefined();
  const long = await fit(new FakeNetwork(4), dataset, RECIPE, { steps: 11 });
  expect(long.state).toMatchObject({ step: 11, epoch: 3, position: 2 });
});

test("a loss that is not finite ends the run with step and learning rate", async () => {
  const network = new FakeNetwork(4, (step) => (step === 4 ? NaN : undefined));
  await expect(fit(network, dataset, RECIPE)).rejects.toMatchObject({
    name: "DivergedError",
    message: "the loss is NaN after step 5, at a learning rate of 0.1: the run has diverged",
    hint: expect.stringContaining("smaller learning rate"),
  });
});

test("unreadable examples shorten a run but do not hang it", async () => {
  const missing = countingDataset(8, 2, [0, 1, 2, 3, 4, 5, 6]);
  const network = new FakeNetwork(2);
  const result = await fit(network, missing, { ...RECIPE, batch: 2 });
  expect(result).toMatchObject({ completed: true, state: { step: 3, epoch: 3, position: 0 } });
});

test("an error of the network ends the run", async () => {
  const network = new FakeNetwork(4);
  network.measureStep = () => Promise.reject(new Error("device lost"));
  await expect(fit(network, dataset, RECIPE)).rejects.toThrow("device lost");
});

test("a batch larger than the network's, and data without examples, are refused", async () => {
  await expect(fit(new FakeNetwork(2), dataset, RECIPE)).rejects.toThrow(/batch is 4, .* up to 2/);
  await expect(fit(new FakeNetwork(4), numberedDataset(0), RECIPE)).rejects.toThrow(/no examples/);
  await expect(evaluateDataset(new FakeNetwork(4), numberedDataset(0))).rejects.toThrow(
    /no examples/,
  );
});

test("epochs without an evaluation do not count for rules; the last one has one", async () => {
  const epochs: EpochReport[] = [];
  const recipe: TrainRecipe = {
    ...RECIPE,
    epochs: 5,
    evaluateEvery: { count: 2, unit: "epochs" },
    stop: { kind: "early_stopping", patience: 3, minimumChange: 0, metric: "loss" },
  };
  const result = await fit(new FakeNetwork(4), dataset, recipe, {
    evaluation: countingDataset(6),
    onEpoch: (report) => void epochs.push(report),
  });
  expect(epochs.map(({ evaluation }) => evaluation !== undefined)).toEqual([
    ...[false, true, false, true, true],
  ]);
  // The first evaluation is the best of three equal ones; the third one only ends the run.
  expect(result.state.patience?.bad).toBe(1);
  expect(result.state.best?.epoch).toBe(2);
  expect(result.evaluation).toBeDefined();
});

const everySteps: TrainRecipe = {
  ...patient,
  evaluateEvery: { count: 2, unit: "steps" },
  stop: { ...patient.stop!, minimumChange: 0, patience: 4 },
};

test("evaluations may come within epochs, and where both end there is one", async () => {
  const epochs: EpochReport[] = [];
  const network = new FakeNetwork(4);
  network.evaluationLosses = [5, 4, 3, 2, 1];
  const result = await fit(
    network,
    dataset,
    { ...everySteps, epochs: 3 },
    {
      evaluation,
      onEpoch: (report) => void epochs.push(report),
    },
  );
  const told = epochs.map(({ step, epoch, continues, evaluation: own }) => {
    return [step, epoch, continues ?? false, own !== undefined];
  });
  // Epochs of three steps: the second ends with an evaluation of step 6, the run with one of 9.
  expect(told).toEqual([
    ...[
      [2, 1, true, true],
      [3, 1, false, false],
    ],
    ...[
      [4, 2, true, true],
      [6, 2, false, true],
    ],
    ...[
      [8, 3, true, true],
      [9, 3, false, true],
    ],
  ]);
  expect(network.evaluations).toBe(5);
  expect(result).toMatchObject({ completed: true, state: { step: 9, epoch: 3 } });
});

test("an evaluation within an epoch may end the run", async () => {
  const network = new FakeNetwork(4);
  network.evaluationLosses = [1, 2, 2, 2, 2, 0];
  const result = await fit(network, dataset, everySteps, { evaluation });
  expect(result).toMatchObject({ stoppedEarly: true, state: { step: 10, epoch: 3, position: 1 } });
  expect(result.evaluation?.metrics["loss"]).toBe(2);
  expect(network.evaluations).toBe(5);
});

const withoutSeconds = ({ state, ...result }: FitResult) => {
  return { ...result, state: { ...state, seconds: 0 } };
};

test("a run that evaluates by steps, stopped anywhere and resumed, equals another", async () => {
  const losses = [2, 1.9, 1.5, 1.45, 1.4, 1.35, 1.5, 1.6, 1.7];
  const epochs: EpochReport[] = [];
  const onEpoch = (report: EpochReport) => void epochs.push({ ...report, seconds: 0 });
  const whole = new FakeNetwork(4);
  whole.evaluationLosses = losses;
  const result = await fit(whole, dataset, everySteps, { evaluation, onEpoch });
  const expected = epochs.splice(0);
  for (let stopAfter = 1; stopAfter < 28; stopAfter++) {
    const abort = new AbortController();
    const first = new FakeNetwork(4);
    first.evaluationLosses = losses;
    const { state } = await fit(first, dataset, everySteps, {
      evaluation,
      onEpoch,
      signal: abort.signal,
      onStep: ({ step }) => step === stopAfter && abort.abort(),
    });
    const second = new FakeNetwork(4);
    second.evaluationLosses = losses.slice(first.evaluations);
    const rest = await fit(second, dataset, everySteps, {
      evaluation,
      onEpoch,
      start: parseState(serializeState(state))!,
    });
    expect([...first.seen, ...second.seen]).toEqual(whole.seen);
    expect(epochs.splice(0)).toEqual(expected);
    expect(withoutSeconds(rest)).toEqual(withoutSeconds(result));
  }
});

test("the last epoch has an evaluation although a batch of it cannot be read", async () => {
  const missing = countingDataset(8, 2, [6, 7]);
  const recipe = { ...RECIPE, batch: 2, evaluateEvery: { count: 2, unit: "epochs" } } as const;
  const result = await fit(new FakeNetwork(2), missing, recipe, { evaluation });
  expect(result.evaluation).toBeDefined();
});

test("drop_last trains on whole batches, and says where there are none", async () => {
  const network = new FakeNetwork(4);
  const result = await fit(network, dataset, { ...RECIPE, dropLast: true });
  expect(result.state).toEqual({ step: 6, epoch: 3, position: 0 });
  expect(new Set(network.seen.map(({ labels }) => labels.length))).toEqual(new Set([4]));
  const few = fit(new FakeNetwork(16), dataset, { ...RECIPE, batch: 16, dropLast: true });
  await expect(few).rejects.toThrow("`drop_last` leaves nothing to train on");
});

test("`swa` with `batchnorm` is refused at once where batches cannot be looked into", async () => {
  const network = new FakeNetwork(4);
  const measured = { layers: [] };
  Object.defineProperty(network, "program", { value: { ...network.program, measured } });
  const training = fit(network, numberedDataset(8), RECIPE);
  await expect(training).rejects.toThrow(/a network in a worker cannot: create it without/);
  expect(network.seen).toEqual([]);
});
