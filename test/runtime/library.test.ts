/** `fit` as a library offers it: batches from anywhere, progress, and a signal that stops it. */
import { afterAll, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  DataError,
  fit,
  InputError,
  type FitOptions,
  type GivenBatch,
  type Network,
  type TrainRecipe,
} from "../../runtime/index.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];
afterAll(() => networks.forEach((network) => network.destroy()));

const SPEC = `model Small {
  input  image: f32[N, 1, 4, 4]
  target label: u32[N] in 0..2
  flatten -> dropout(0.2) -> linear(6) as hidden -> relu -> linear(2) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
train Base of Small {
  epochs    = 4
  batch     = 6
  optimizer = sgd(lr=0.1, momentum=0.9)
  schedule  = cosine(to=0)
  seed      = 2
}`;

async function open(): Promise<{ network: Network; recipe: TrainRecipe }> {
  const { programs, diagnostics } = compile(SPEC, { file: "small.net" });
  expect(diagnostics).toEqual([]);
  const recipe = analyze(SPEC, "small.net").selected!.recipe!;
  const network = await createNetwork(programs, { adapter, batch: 6, seed: 2 });
  networks.push(network);
  return { network, recipe };
}

/** Batches in an epoch; the last is smaller. */
const STEPS = 5;

/** Bright above for class 0, below for class 1; other noise in each epoch. */
async function* batchesOf(epoch: number): AsyncGenerator<GivenBatch> {
  for (let position = 0; position < STEPS; position++) {
    const count = position === STEPS - 1 ? 3 : 6;
    const labels = Array.from({ length: count }, (_, index) => (index + position) % 2);
    const images = Float32Array.from({ length: count * 16 }, (_, at) => {
      const isBright = at % 16 < 8 === (labels[Math.floor(at / 16)] === 0);
      return (isBright ? 1 : -1) + Math.sin(at * 7 + position * 3 + epoch * 11) / 2;
    });
    await Promise.resolve();
    yield { images, targets: labels };
  }
}

const again = { [Symbol.asyncIterator]: () => batchesOf(0) };

async function train(source: Parameters<typeof fit>[1], options: FitOptions = {}) {
  const { network, recipe } = await open();
  const losses: number[] = [];
  const result = await fit(network, source, recipe, {
    stepsPerEpoch: STEPS,
    ...options,
    onStep: (report) => {
      losses.push(report.metrics["loss"]!);
      return options.onStep?.(report);
    },
  });
  return { network, result, losses };
}

test("an iterable that starts again is read once an epoch, and evaluated on", async () => {
  const { result, losses } = await train(again, { evaluation: again });
  expect(losses).toHaveLength(4 * STEPS);
  expect(result).toMatchObject({
    completed: true,
    state: { step: 20, epoch: 4, position: 0 },
    evaluation: { examples: 27, metrics: { top1: 1 } },
  });
});

test("an array of batches is read once an epoch", async () => {
  const batches: GivenBatch[] = [];
  for await (const batch of batchesOf(0)) batches.push(batch);
  const { losses } = await train(batches, { evaluation: batches });
  expect(losses).toEqual((await train(again)).losses);
});

test("a function makes the batches of each epoch", async () => {
  const asked: number[] = [];
  const source = (epoch: number) => {
    asked.push(epoch);
    return batchesOf(epoch);
  };
  const { result } = await train(source);
  expect(result.completed).toBe(true);
  expect(asked).toEqual([0, 1, 2, 3]);
});

test("a signal stops between steps; the run continues with the same bits", async () => {
  const whole = await train(batchesOf);
  const expected = await whole.network.save({ optimizer: true });
  for (const stopAfter of [STEPS, 13]) {
    const abort = new AbortController();
    const part = await train(batchesOf, {
      signal: abort.signal,
      onStep: ({ step }) => step === stopAfter && abort.abort(),
    });
    expect(part.result.completed).toBe(false);
    // The step after was under way.
    expect(part.result.state.step).toBeLessThanOrEqual(stopAfter + 1);
    const checkpoint = await part.network.save({ optimizer: true });
    const state = JSON.parse(JSON.stringify(part.result.state)) as typeof part.result.state;
    const { network, recipe } = await open();
    await network.load(checkpoint);
    const rest = await fit(network, batchesOf, recipe, { stepsPerEpoch: STEPS, start: state });
    expect(rest).toEqual(whole.result);
    expect(Buffer.compare(await network.save({ optimizer: true }), expected)).toBe(0);
  }
});

test("a signal that was given before does no step", async () => {
  const { result, losses } = await train(batchesOf, { signal: AbortSignal.abort() });
  expect(losses).toEqual([]);
  expect(result).toMatchObject({ completed: false, state: { step: 0 } });
});

/**
 * The same batches, all in the same two arrays, which hold nonsense as soon as the next is asked
 * for.
 */
async function* inOneArray(epoch: number): AsyncGenerator<GivenBatch> {
  const images = new Float32Array(6 * 16);
  const labels = new Uint32Array(6);
  for await (const batch of batchesOf(epoch)) {
    const values = batch.images as Float32Array;
    const count = values.length / 16;
    images.set(values);
    labels.set(batch.targets as number[]);
    yield { images: images.subarray(0, values.length), targets: labels.subarray(0, count) };
    images.fill(1e9);
    labels.fill(1);
  }
}

test("batches that come in the same arrays train like those in separate arrays", async () => {
  const own = await train(batchesOf, { evaluation: again });
  const shared = await train(inOneArray, { evaluation: () => inOneArray(0) });
  expect(shared.losses).toEqual(own.losses);
  expect(shared.result).toEqual(own.result);
});

/** A source whose batch after this many never comes. */
async function* stuckAfter(batches: number): AsyncGenerator<GivenBatch> {
  for await (const batch of batchesOf(0)) {
    if (batches-- === 0) await new Promise(() => {});
    yield batch;
  }
}

test("a signal is heard while a batch is awaited, in training and in evaluation", async () => {
  const abort = new AbortController();
  const training = train(() => stuckAfter(2), {
    signal: abort.signal,
    onStep: ({ step }) => step === 1 && setTimeout(() => abort.abort(), 20),
  });
  const { result } = await training;
  expect(result).toMatchObject({ completed: false, state: { step: 2, position: 2, epoch: 0 } });

  const second = new AbortController();
  const evaluated = await train(batchesOf, {
    evaluation: () => stuckAfter(1),
    signal: second.signal,
    onEvaluationProgress: () => setTimeout(() => second.abort(), 20),
  });
  expect(evaluated.result).toMatchObject({ completed: false, state: { step: STEPS, epoch: 0 } });
});

test.each<[string, FitOptions]>([
  ["onStep", { onStep: () => Promise.reject(new TypeError("mine")) }],
  ["onEpoch", { onEpoch: () => Promise.reject(new TypeError("mine")) }],
  [
    "onEvaluationProgress",
    { evaluation: again, onEvaluationProgress: () => Promise.reject(new TypeError("mine")) },
  ],
  ["checkpoint", { checkpoint: () => Promise.reject(new TypeError("mine")) }],
])("what %s rejects with is what the run rejects with", async (_name, options) => {
  await expect(train(batchesOf, options)).rejects.toThrow(new TypeError("mine"));
});

describe("mistakes are explained", () => {
  const failing = async (...parameters: Parameters<typeof train>) => {
    const error: unknown = await train(...parameters).catch((reason: unknown) => reason);
    expect([DataError, InputError]).toContain((error as Error).constructor);
    const { message, hint = "" } = error as DataError;
    return `${message}\n${hint}`.trim();
  };

  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /must be a dataset, an async iterable .* not undefined/],
    ["a number", 7, /not a number/],
    ["no batches", [], /an empty array: an epoch needs at least one/],
    ["a function without batches", () => 7, /the batches of epoch 1 are a number/],
    ["undefined batches", [undefined], /batch 1 of epoch 1 is undefined: .*\{ images, targets \}/],
    ["lists as images", [{ images: [1, 2] }], /must be a Float32Array or pictures, not Array/],
  ])("%s to train on", async (_what, source, message) => {
    expect(await failing(source as never)).toMatch(message);
  });

  test.each<[FitOptions, RegExp]>([
    [{ onstep: () => {} } as FitOptions, /`fit` has no option `onstep`; it takes evaluation, /],
    [{ steps: 0 }, /`steps` must be an integer from 1/],
    [{ checkpointSteps: 1.5 }, /`checkpointSteps` must be an integer from 1/],
    [{ checkpointSeconds: NaN }, /`checkpointSeconds` must be a number of at least 0/],
  ])("options %o", async (options, message) => {
    expect(await failing(batchesOf, options)).toMatch(message);
  });

  test("fewer batches than were announced", async () => {
    const message = await failing(batchesOf, { stepsPerEpoch: STEPS + 1 });
    expect(message).toMatch(/epoch 1 has 5 batches, and `stepsPerEpoch` is 6: .*schedules/);
    expect(message).toMatch(/`stepsPerEpoch: 5`/);
  });

  test("a generator, which can be passed over once", async () => {
    expect(await failing(batchesOf(0))).toMatch(
      /epoch 2 has no batches: .* a generator can be passed over once\n.*Symbol\.asyncIterator/,
    );
  });

  test("an epoch of unknown length", async () => {
    expect(await failing(again, { stepsPerEpoch: undefined })).toMatch(/say `stepsPerEpoch`/);
  });

  test("a batch of another size", async () => {
    async function* wrong(): AsyncGenerator<GivenBatch> {
      await Promise.resolve();
      yield { images: new Float32Array(17), targets: [0] };
    }
    expect(await failing(wrong)).toMatch(/17 values, not a whole number of examples/);
  });
});
