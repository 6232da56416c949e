/** Batch normalization measured for the mean of weights: in whole, resumed and shared runs. */
import { afterEach, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  fit,
  loopback,
  measureStatistics,
  parseTensors,
  type Dataset,
  type FitOptions,
  type Network,
  type StatisticsReport,
} from "../../runtime/index.js";
import { withoutTraining } from "../../interchange/weights/shrink.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { adapterWithHalves } from "../adapters.js";
import { labelValues, uniformValues } from "../oracle/values.js";

interface Parts {
  readonly layers?: string;
  readonly settings?: string;
  readonly average?: string;
}

const ONE = "conv(4, kernel=3, padding=1) -> batchnorm as bn -> relu -> maxpool(2)";
const TWO =
  "conv(4, kernel=3, padding=1) -> batchnorm as bn -> relu -> maxpool(2)\n  dropout(0.3) -> " +
  "flatten -> linear(6) -> batchnorm as bn2 -> relu -> dropout(0.2)";

const specOf = ({
  layers = TWO,
  settings = "",
  average = "swa(start=4 steps, every=2 steps)",
}: Parts) => `model Small {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..3
  ${layers}
  flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Some for Small { train folder("nowhere") { random_crop(8, padding=1) -> hflip(0.5) } }
train Base of Small on Some {
  epochs = 4
  batch = 8
  optimizer = sgd(lr=0.05, momentum=0.9)
  average = ${average}
  ${settings}
  seed = 4
}`;

/** An epoch is two whole batches and one of 5. */
const pictures = (length = 21): Dataset => ({
  name: "pictures",
  classes: ["a", "b", "c"],
  length,
  pixels: "bytes",
  get: (index) => {
    const at = (place: number) => ((place * 31 + index * 17) % 200) + (index % 3) * 20;
    const pixels = Uint8Array.from({ length: 64 }, (_, place) => at(place));
    const image = { width: 8, height: 8, channels: 1, maximum: 255, pixels };
    return Promise.resolve({ image, label: index % 3 });
  },
});

const networks: Network[] = [];
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

function compiled(text: string, { exchange = false } = {}) {
  const { programs, diagnostics } = compile(text, { file: "small.net", exchange });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const recipe = analyze(text, "small.net").selected!.recipe!;
  const open = async (options: Parameters<typeof createNetwork>[1] = {}) => {
    const network = await createNetwork(programs, { batch: 8, seed: 4, ...options });
    networks.push(network);
    return network;
  };
  return { recipe, open, programs };
}

type Compiled = ReturnType<typeof compiled>;

interface Options extends FitOptions {
  /** Ends the run after this step. */
  readonly to?: number;
}

async function train(network: Network, { recipe }: Compiled, options: Options = {}) {
  const { to, ...rest } = options;
  const abort = new AbortController();
  const evaluations: unknown[] = [];
  const passes: StatisticsReport[] = [];
  const { state } = await fit(network, pictures(), recipe, {
    evaluation: pictures(7),
    signal: abort.signal,
    onStep: ({ step }) => {
      if (step === to) abort.abort();
    },
    onEpoch: ({ step, evaluation }) => void evaluations.push({ step, ...evaluation?.metrics }),
    onStatistics: (report) => void passes.push(report),
    ...rest,
  });
  return { state, evaluations, passes };
}

async function tensorsOf(network: Network) {
  return parseTensors(await network.save()).tensors;
}

async function valuesOf(network: Network) {
  return new Map([...(await tensorsOf(network))].map(([name, { values }]) => [name, [...values]]));
}

/** Statistics alone. */
async function statisticsOf(network: Network) {
  return new Map([...(await valuesOf(network))].filter(([name]) => name.includes(".running_")));
}

function distance(some: ReadonlyMap<string, number[]>, others: ReadonlyMap<string, number[]>) {
  const all = [...some].flatMap(([name, values]) =>
    values.map((value, index) => Math.abs(value - others.get(name)![index]!)),
  );
  return Math.max(...all);
}

test("each new mean is measured once, and files and predictions are of it", async () => {
  const made = compiled(specOf({ settings: "evaluate_every = 1 steps" }));
  const network = await made.open();
  const { passes, evaluations } = await train(network, made);
  // Twice for each pass: before and after it.
  expect(passes.map(({ step }) => step)).toEqual([6, 6, 8, 8, 10, 10, 12, 12]);
  expect(passes.every(({ batches }) => batches === 3)).toBe(true);
  expect(passes.map(({ seconds }) => seconds !== undefined)).toEqual(
    [6, 8, 10, 12].flatMap(() => [false, true]),
  );

  // What runs without an average predicts by the file as it is.
  const plain = compiled(specOf({ average: "ema(0.9)" }));
  const reader = await plain.open();
  await reader.load(await network.save());
  const images = uniformValues("swa/pictures", 8 * 64, 1);
  expect(await reader.predict(images)).toEqual(await network.predict(images));
  const { evaluations: last } = await train(reader, plain, { steps: 1, start: undefined });
  expect(last.length).toBeGreaterThan(0);
  expect(evaluations.length).toBe(12);
});

test("a run that is stopped within an epoch and resumed is the same, bit for bit", async () => {
  const made = compiled(specOf({ settings: "best = min(loss)" }));
  const whole = await made.open();
  const one = await train(whole, made);
  for (const to of [4, 7, 11]) {
    const first = await made.open();
    const begun = await train(first, made, { to });
    const bytes = await first.save({ optimizer: true });
    const second = await made.open();
    await second.load(bytes);
    const start = parseState(serializeState(begun.state))!;
    const rest = await train(second, made, { start });
    expect([...begun.evaluations, ...rest.evaluations]).toEqual(one.evaluations);
    expect(serializeState(rest.state)).toBe(serializeState(one.state));
    expect(await valuesOf(second)).toEqual(await valuesOf(whole));
  }
});

test("a pass leaves what is trained as it was", async () => {
  const made = compiled(specOf({}));
  const [measured, other] = [await made.open(), await made.open()];
  const every = { ...made, recipe: { ...made.recipe, evaluateEvery: { count: 1, unit: "steps" } } };
  await train(measured, every as Compiled);
  const { passes } = await train(other, made, { evaluation: undefined });
  expect(passes.map(({ step }) => step)).toEqual([12, 12]);
  expect(await valuesOf(measured)).toEqual(await valuesOf(other));
  for (const { name } of measured.parameters) {
    expect(await measured.read(name)).toEqual(await other.read(name));
  }
});

describe("batches in parts", () => {
  test("slices have the statistics of the whole batch, and ranks those of slices", async () => {
    // Weights do not move, so that only the statistics differ.
    const text = specOf({ layers: ONE }).replace("lr=0.05", "lr=1e-30");
    const made = compiled(text, { exchange: true });
    const whole = await made.open();
    await train(whole, made);
    const expected = await statisticsOf(whole);
    const sliced = await made.open({ accumulate: 3 });
    await train(sliced, made);
    const slices = await statisticsOf(sliced);
    expect(distance(slices, expected)).toBeLessThan(1e-6);
    const ranks = await Promise.all(
      loopback(2).map(async (exchange) => {
        const network = await made.open({ batch: 4 });
        await train(network, made, { exchange });
        return network;
      }),
    );
    const halves = await made.open({ accumulate: 2 });
    await train(halves, made);
    for (const rank of ranks) {
      expect(await statisticsOf(rank)).toEqual(await statisticsOf(halves));
      expect(distance(await statisticsOf(rank), expected)).toBeLessThan(1e-6);
    }
  });
});

test("ranks that share the statistics of batches are refused before the run", async () => {
  const made = compiled(specOf({ settings: "sync_batchnorm = true" }), { exchange: true });
  const [exchange] = loopback(2);
  const network = await made.open({ batch: 4 });
  await expect(train(network, made, { exchange })).rejects.toThrow(
    "`sync_batchnorm` trains with those of all ranks: leave one of them out",
  );
  expect(network.stepCount).toBe(0);
  // A single process has nothing to share.
  expect((await train(await made.open(), made)).passes.length).toBeGreaterThan(0);
});

test("tools refuse the averages of a checkpoint that are not measured yet", async () => {
  const made = compiled(specOf({}));
  const network = await made.open();
  await train(network, made, { to: 7 });
  const stopped = parseTensors(await network.save({ optimizer: true }));
  expect(() => withoutTraining(stopped.tensors, stopped.metadata)).toThrow(
    "before `batchnorm` was measured for its averaged weights",
  );
  await measureStatistics(network, pictures(), made.recipe);
  const { tensors, metadata } = parseTensors(await network.save({ optimizer: true }));
  const plain = withoutTraining(tensors, metadata);
  const own = await valuesOf(network);
  expect(plain.metadata["measured"]).toBeUndefined();
  for (const { name, values } of plain.tensors) expect([...values]).toEqual(own.get(name));
});

test("`batches` ends the pass", async () => {
  const made = compiled(specOf({ average: "swa(start=4 steps, every=2 steps, batches=2)" }));
  const network = await made.open();
  const { passes } = await train(network, made);
  expect(passes.every(({ batches }) => batches === 2)).toBe(true);
  const all = compiled(specOf({}));
  const other = await all.open();
  await train(other, all);
  expect(distance(await statisticsOf(network), await statisticsOf(other))).toBeGreaterThan(1e-4);
});

test("statistics that are kept stay, and nothing is measured where all are", async () => {
  const some = compiled(specOf({ settings: "freeze_statistics = [bn]" }));
  const network = await some.open();
  await network.write("bn.running_mean", Float32Array.of(1, 2, 3, 4));
  const { passes } = await train(network, some);
  expect(passes.length).toBeGreaterThan(0);
  expect((await valuesOf(network)).get("bn.running_mean")).toEqual([1, 2, 3, 4]);
  const all = compiled(specOf({ settings: "freeze_statistics = [kind(batchnorm)]" }));
  expect(all.programs[0]!.steps.statistics).toBeUndefined();
  const none = compiled(specOf({ layers: "conv(4, kernel=3) -> groupnorm(2) -> relu" }));
  for (const made of [all, none]) {
    expect((await train(await made.open(), made)).passes).toEqual([]);
  }
});

test("in loops of one's own, averages are refused until they were measured", async () => {
  const made = compiled(specOf({ average: "swa(start=1 steps, every=2 steps)" }));
  const network = await made.open();
  const images = uniformValues("swa/own", 8 * 64, 1);
  const targets = labelValues("swa/own", 8, 3);
  const step = () => network.step(images, targets);
  await step();
  await network.predict(images);
  expect(await measureStatistics(network, [{ images, targets }], made.recipe)).toBeUndefined();
  for (let count = 0; count < 2; count++) await step();
  const refused = /no running statistics yet: .*`measureStatistics\(network, data, recipe\)`/;
  await expect(network.predict(images)).rejects.toThrow(refused);
  await expect(network.evaluate(images, targets)).rejects.toThrow(refused);
  await expect(network.save()).rejects.toThrow(refused);
  const stale = await network.save({ optimizer: true });
  const pass = await measureStatistics(network, [{ images, targets }], made.recipe);
  expect(pass).toEqual({ batches: 1 });
  const predicted = await network.predict(images);
  const fresh = await network.save({ optimizer: true });
  const file = await network.save();

  const loaded = await made.open();
  await loaded.load(stale);
  await expect(loaded.predict(images)).rejects.toThrow(refused);
  for (const bytes of [fresh, file]) {
    await loaded.load(bytes);
    expect(await loaded.predict(images)).toEqual(predicted);
  }
  // The mean is the same until the next interval ends.
  await step();
  expect(await network.predict(images)).toEqual(predicted);
  await step();
  await expect(network.predict(images)).rejects.toThrow(refused);
});

const halves = await adapterWithHalves();

test.skipIf(!halves)("with activations in 16 bits", async () => {
  const made = compiled(specOf({ settings: "precision = f16" }));
  const network = await made.open({ adapter: halves!.source });
  expect(network.program.precision).toBe("f16");
  await train(network, made);
  const plain = compiled(specOf({}));
  const other = await plain.open();
  await train(other, plain);
  const [some, others] = [await statisticsOf(network), await statisticsOf(other)];
  expect(distance(some, others)).toBeLessThan(0.05);
  expect(distance(some, others)).toBeGreaterThan(0);
});
