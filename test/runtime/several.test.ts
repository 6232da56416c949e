/** Several inputs and targets, and shared weights, with everything else that a recipe can say. */
import { afterAll, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  evaluateDataset,
  fit,
  loopback,
  type GivenBatch,
  type NetworkOptions,
  type TrainingState,
} from "../../runtime/index.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { serializeTensors } from "../../runtime/safetensors.js";
import { adapterWithHalves, runsAllVariants } from "../adapters.js";
import { distance } from "../kernels/compare.js";
import { countingDataset } from "../data/pattern.js";
import { parameterValues } from "../oracle/values.js";
import { ByHand, type HandRule } from "../ports/by-hand.js";
import { pairs, PLAIN, recipeOf, SIAMESE, TWO_KINDS, type Siamese } from "../ports/siamese.js";

const opened: Siamese[] = [];
afterAll(() => {
  for (const network of opened) network.destroy();
});

interface OpenOptions extends NetworkOptions {
  readonly exchange?: boolean;
}

async function open(spec: string, { exchange, ...options }: OpenOptions = {}): Promise<Siamese> {
  const { programs, diagnostics } = compile(spec, { file: "siamese.net", exchange });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const network = await createNetwork(programs, { batch: 5, ...options });
  opened.push(network as unknown as Siamese);
  return network as unknown as Siamese;
}

async function fill(network: Siamese): Promise<Map<string, Float64Array>> {
  const weights = new Map<string, Float64Array>();
  for (const { name, shape, role } of network.parameters) {
    if (role === "statistic") continue;
    const values = parameterValues(`several/${name}`, shape);
    await network.write(name, values);
    weights.set(name, Float64Array.from(values));
  }
  return weights;
}

interface Case {
  readonly settings: string;
  readonly rule: HandRule;
}

const CLIPPED = { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, clipNorm: 0.3 };
const SGD = "optimizer = sgd(lr=0.05, momentum=0.9, weight_decay=0.01)";

const CASES: readonly Case[] = [
  { settings: `${SGD}\n clip_norm = 0.3`, rule: { kind: "sgd", ...CLIPPED } },
  {
    settings: "optimizer = adamw(lr=0.01, weight_decay=0.1)\n clip_norm = 0.3",
    rule: { kind: "adamw", learningRate: 0.01, weightDecay: 0.1, clipNorm: 0.3 },
  },
  {
    settings: `${SGD}\n clip_norm = 0.3\n freeze = [tower.*]`,
    rule: { kind: "sgd", ...CLIPPED, frozen: ["tower."] },
  },
  {
    settings: `${SGD}\n clip_norm = 0.3\n freeze = [logits.*]`,
    rule: { kind: "sgd", ...CLIPPED, frozen: ["logits."] },
  },
];

const isShort = ({ settings }: Case) => settings.includes("sgd") && !settings.includes("freeze");

describe.each(runsAllVariants ? CASES : CASES.filter(isShort))(
  "$settings",
  ({ settings, rule }) => {
    // Five examples: slices of three and two.
    test.each([1, 2])(
      "two targets with class weights train as by hand, %i slices",
      async (slices) => {
        const spec = recipeOf(TWO_KINDS, `epochs = 1\n batch = 5\n ${settings}`);
        const network = await open(spec, { accumulate: slices });
        const hand = new ByHand(TWO_KINDS, await fill(network), rule);
        for (let step = 0; step < 3; step++) {
          const { images, targets } = pairs("TwoKinds", `step ${step}`, 5);
          const { loss } = await network.step(images, targets);
          expect(loss).toBeCloseTo(hand.step(images, targets), 5);
        }
        expect(hand.clippedSteps).toBeGreaterThan(0);
        for (const [name, values] of hand.weights) {
          expect(distance(await network.read(name), values), name).toBeLessThan(2e-5);
        }
      },
    );
  },
);

test("each weight is initialized once, and frozen ones stay as they are to the bit", async () => {
  const settings = `epochs = 1\n batch = 5\n ${SGD}\n freeze = [tower.*]`;
  const network = await open(recipeOf(SIAMESE, settings), { seed: 3 });
  const { program } = network;
  const written = program.steps.initialize.flatMap(({ label }) => label);
  expect(new Set(written).size).toBe(written.length);
  const before = await network.read("tower.conv2.weight");
  expect(new Set(before).size).toBeGreaterThan(100);
  const { images, targets } = pairs("Siamese", "frozen", 5);
  const head = await network.read("moved.weight");
  await network.step(images, targets);
  expect(await network.read("tower.conv2.weight")).toEqual(before);
  expect(await network.read("moved.weight")).not.toEqual(head);
});

/** Batches of 5, 5 and 3 examples, which follow from the epoch alone. */
function batchesOf(model: string) {
  return async function* (epoch: number) {
    for (const [index, count] of [5, 5, 3].entries()) {
      yield await Promise.resolve(pairs(model, `epoch ${epoch} batch ${index}`, count));
    }
  };
}

/** On the embedded adapter the smaller one: a program a phase, and each compiles kernels. */
const RESUMED = runsAllVariants ? "Siamese" : "TwoKinds";

const ALL = recipeOf(
  runsAllVariants ? SIAMESE : TWO_KINDS,
  `epochs = 3
   batch = 5
   accumulate = 2
   freeze = [tower.*]
   unfreeze = after(1 epochs, [tower.linear1]) -> after(5 steps, [tower.*])
   average = ema(0.8)
   stop = early_stopping(patience=9, metric=top1)
   schedule = reduce_on_plateau(patience=0, threshold=0.9, factor=0.5)
   optimizer = adamw(lr=0.01, weight_decay=0.1)
   clip_norm = 1
   seed = 3`,
);

/** The part of each batch of 5 that a rank of two has: the slices of one process. */
function partsOf(rank: number) {
  const [from, to] = rank === 0 ? [0, 3] : [3, 5];
  const part = <Values extends Float32Array | Uint32Array>(values: Values) =>
    values.slice((from * values.length) / 5, (to * values.length) / 5) as Values;
  return (epoch: number) => {
    const { images, targets } = pairs("TwoKinds", `ranks ${epoch}`, 5);
    const { kind, side } = targets;
    return [
      {
        images: { left: part(images.left), right: part(images.right) },
        targets: { kind: part(kind!), side: part(side!) },
      },
    ];
  };
}

test("two ranks, each with its parts of all inputs and targets, are one process", async () => {
  const spec = recipeOf(TWO_KINDS, `epochs = 3\n batch = 5\n ${SGD}`);
  const { recipe } = analyze(spec, "siamese.net").selected!;
  const one = await open(spec, { exchange: true, accumulate: 2 });
  const whole = (epoch: number) => [pairs("TwoKinds", `ranks ${epoch}`, 5)];
  await fit(one, whole, { ...recipe!, accumulate: 2 }, { stepsPerEpoch: 1 });
  const ranks = await Promise.all(
    loopback(2).map(async (exchange) => {
      const network = await open(spec, { exchange: true, batch: 3 });
      await fit(network, partsOf(exchange.rank), recipe!, { exchange, stepsPerEpoch: 1 });
      return network;
    }),
  );
  const expected = await weightsIn(one);
  for (const rank of ranks) expect(await weightsIn(rank)).toEqual(expected);
});

async function weightsIn(network: Siamese) {
  const read = network.parameters.map(async ({ name }) => [name, await network.read(name)]);
  return Object.fromEntries((await Promise.all(read)) as [string, Float32Array][]);
}

interface Saved {
  readonly bytes: Uint8Array;
  readonly state: string;
}

/** Trains up to the recipe's end or a step, and gives all that a checkpoint holds. */
async function train(
  network: Siamese,
  spec: string,
  { from, to }: { from?: Saved; to?: number } = {},
): Promise<Saved> {
  const { model } = network.program;
  const recipe = analyze(spec, "siamese.net").selected!.recipe!;
  const abort = new AbortController();
  let start: TrainingState | undefined;
  if (from) {
    await network.load(from.bytes);
    start = parseState(from.state);
  }
  const { state } = await fit(network, batchesOf(model), recipe, {
    evaluation: batchesOf(model),
    stepsPerEpoch: 3,
    start,
    signal: abort.signal,
    onStep: ({ step }) => step === to && abort.abort(),
  });
  return { bytes: await network.save({ optimizer: true }), state: serializeState(state) };
}

test("a run in phases, slices and averages, stopped and resumed: the same bits", async () => {
  const whole = await open(ALL);
  const expected = await train(whole, ALL);
  expect(whole.phase).toBe(2);
  expect(parseState(expected.state)).toMatchObject({ step: 9 });
  for (const to of runsAllVariants ? [2, 3, 5, 8] : [4]) {
    const half = await train(await open(ALL), ALL, { to });
    const rest = await train(await open(ALL), ALL, { from: half });
    expect(rest.state, `stopped after step ${to}`).toBe(expected.state);
    expect(rest.bytes, `stopped after step ${to}`).toEqual(expected.bytes);
  }
  const evaluated = await evaluateDataset(whole, batchesOf(RESUMED));
  expect(evaluated).toMatchObject({ examples: 13 });
  expect(Object.keys(evaluated!.metrics)).toHaveLength(3);
});

const found = await adapterWithHalves();

describe.skipIf(!found)("in 16 bits", () => {
  const settings = (more: string) => `epochs = 3\n batch = 5\n clip_norm = 1\n ${SGD}\n ${more}`;
  const adapter = { adapter: found?.source ?? "" };

  test("a step is that of 32 bits but for rounding", async () => {
    const full = await open(recipeOf(PLAIN, settings("")), adapter);
    const half = await open(recipeOf(PLAIN, settings("precision = f16")), adapter);
    expect([full.program.precision, half.program.precision]).toEqual([undefined, "f16"]);
    await fill(full);
    await fill(half);
    for (let step = 0; step < 2; step++) {
      const { images, targets } = pairs("Siamese", `half ${step}`, 5);
      const [one, other] = [
        await full.step(images, targets),
        await half.step(images, targets, { accumulate: 1 + step }),
      ];
      expect(Math.abs(other["loss"]! - one["loss"]!)).toBeLessThan(5e-3);
    }
    // As in precision.test.ts: 2^-11 a value, times a few layers.
    for (const { name } of full.parameters) {
      const error = distance(await half.read(name), await full.read(name));
      expect(error, name).toBeLessThan(8 * 2 ** -11);
    }
    const { images } = pairs("Siamese", "half", 5);
    const [one, other] = [await full.predict(images), await half.predict(images)];
    for (const name of ["logits", "moved"]) {
      expect(distance(other[name]!, one[name]!), name).toBeLessThan(8 * 2 ** -11);
    }
  });

  test("a resumed run ends in the same bits, its loss scale among them", async () => {
    // Doubles with each good step, until one overflows.
    const spec = recipeOf(
      SIAMESE,
      settings("accumulate = 2\n precision = f16(loss_scale=dynamic, growth_interval=1)"),
    );
    const expected = await train(await open(spec, adapter), spec);
    const half = await train(await open(spec, adapter), spec, { to: 4 });
    const rest = await train(await open(spec, adapter), spec, { from: half });
    expect(rest).toEqual(expected);
  });
});

describe("numbers that are not finite", () => {
  const spec = recipeOf(PLAIN, `epochs = 1\n batch = 5\n ${SGD}`);
  const recipe = analyze(spec, "siamese.net").selected!.recipe!;

  let opening: Promise<Siamese> | undefined;
  const opened = () => (opening ??= open(spec));

  test("of an input or a target are refused by its name", async () => {
    const network = await opened();
    const { images, targets } = pairs("Siamese", "wrong", 5);
    const right = images.right.with(7, NaN);
    await expect(network.step({ ...images, right }, targets)).rejects.toThrow(
      "`right` is NaN at index 7",
    );
    const shift = (targets["shift"] as Float32Array).with(3, Infinity);
    await expect(network.step(images, { ...targets, shift })).rejects.toThrow(
      "`shift` is Infinity at index 3",
    );
  });

  const sides = [
    ["right", "b"],
    ["left", "a"],
  ] as const;
  test.each(runsAllVariants ? sides : sides.slice(0, 1))(
    "that come from `%s` are reported of the use of the tower that made them",
    async (side, use) => {
      const network = await opened();
      const one = pairs("Siamese", "large", 5);
      await network.write("tower.conv1.weight", new Float32Array(6 * 27).fill(1));
      const images = { ...one.images, [side]: new Float32Array(5 * 3 * 144).fill(3e38) };
      const batches = () => only({ ...one, images });
      await expect(fit(network, batches, recipe, { stepsPerEpoch: 1 })).rejects.toMatchObject({
        name: "DivergedError",
        message: expect.stringMatching(`\`${use}.conv1.*\` in step 1 \\(line 8\\)`),
      });
      await expect(evaluateDataset(network, batches)).rejects.toThrow(`\`${use}.conv1`);
    },
  );

  test("of a file of weights are refused by the shared name", async () => {
    const network = await opened();
    const tensors = network.parameters.map(({ name, shape }) => {
      const values = parameterValues(name, shape);
      if (name === "tower.conv2.weight") values[5] = NaN;
      return { name, shape, values };
    });
    await expect(network.load(serializeTensors(tensors, {}))).rejects.toThrow(
      "`tower.conv2.weight` has NaN at index 5",
    );
  });
});

test("a tower trained alone fills the shared one, and `except` keeps the heads", async () => {
  const text = `model Alone {
    input image: f32[N, 3, 12, 12]
    target label: u32[N] in 0..10
    tower {
      conv(6, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2)
      residual { conv(6, kernel=3, padding=1) } -> relu
      flatten -> linear(8)
    }
    linear(10) as other
    loss cross_entropy(other, label)
  }`;
  const alone = await createNetwork(compile(text, { file: "alone.net" }).programs, { seed: 9 });
  const file = await alone.save();
  const network = await open(SIAMESE);
  const heads = ["logits", "moved"].flatMap((head) => [`${head}.weight`, `${head}.bias`]);
  const before = await network.read("moved.weight");
  await expect(network.load(file)).rejects.toThrow("`logits.weight`");
  await network.load(file, { except: heads });
  expect(await network.read("moved.weight")).toEqual(before);
  expect(await network.read("tower.conv2.weight")).toEqual(await alone.read("tower.conv2.weight"));
  alone.destroy();
});

describe("examples of another kind are refused before the first step", () => {
  const spec = recipeOf(PLAIN, `epochs = 1\n batch = 5\n ${SGD}`);
  const recipe = analyze(spec, "siamese.net").selected!.recipe!;

  let opening: Promise<Siamese> | undefined;
  const opened = () => (opening ??= open(spec));

  test("a dataset, which gives one image and one label", async () => {
    const network = await opened();
    const dataset = countingDataset(10, 12);
    const message =
      "this network has the inputs { left, right }: give batches of named arrays, " +
      "{ images: { left, right }, targets: { kind, shift } }, instead";
    await expect(fit(network, dataset, recipe)).rejects.toThrow(message);
    await expect(evaluateDataset(network, dataset)).rejects.toThrow(message);
  });

  test("batches without names", async () => {
    const network = await opened();
    const { images, targets } = pairs("Siamese", "unnamed", 5);
    const run = (batch: GivenBatch) =>
      fit(network, () => only(batch), recipe, { stepsPerEpoch: 1 });
    await expect(run({ images: images.left, targets })).rejects.toThrow(
      "a batch's `images` must be { left, right }, not Float32Array",
    );
    await expect(run({ images: { left: images.left }, targets })).rejects.toThrow(
      "`right` is missing: expected { left, right }",
    );
    await expect(run({ images, targets: [0, 1, 2, 0, 1] })).rejects.toThrow(
      "expected { kind, shift }, not Array",
    );
  });
});

async function* only<Item>(item: Item) {
  yield await Promise.resolve(item);
}
