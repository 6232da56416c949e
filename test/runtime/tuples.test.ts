/** Runs on triplets and pairs with all that a recipe may ask for. */
import { afterEach, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  evaluateDataset,
  fit,
  loadBatches,
  loopback,
  type Collective,
  type Dataset,
  type Network,
  type TrainingState,
} from "../../runtime/index.js";
import { createNetwork as createPredictor } from "../../runtime/predict-node.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { imageOf } from "../../program/tensors.js";
import { chooseStaging } from "../../runtime/data/stage.js";
import type { Inputs } from "../../runtime/examples.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { SIAMESE_PAIRS, stripes, TRIPLETS } from "../ports/triplets.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: { destroy(): void }[] = [];
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

/** Of a model with several inputs. */
type Several = Network<string, string, void, Inputs, Float32Array>;

async function open(
  spec: string,
  { batch = 4, exchange = false }: { batch?: number; exchange?: boolean } = {},
): Promise<Several> {
  const { programs } = compile(spec, { file: "tuples.net", exchange });
  const network = await createNetwork(programs, { adapter, batch, seed: 3 });
  networks.push(network);
  return network as unknown as Several;
}

const recipeOf = (spec: string) => analyze(spec, "tuples.net").selected!.recipe!;

interface Part {
  readonly exchange?: Collective;
  readonly from?: { readonly bytes: Uint8Array; readonly state: string };
  readonly to?: number;
  readonly dataset?: Dataset;
  readonly slices?: number;
  readonly spec?: string;
}

/** Trains up to the recipe's end or a step, alone in two slices, or as one of several ranks. */
async function train({ exchange, from, to, slices = 2, spec = TRIPLETS, ...rest }: Part = {}) {
  const { dataset = stripes("triplets") } = rest;
  const network = await open(spec, { batch: exchange ? 2 : 4, exchange: true });
  if (from) await network.load(from.bytes);
  const start: TrainingState | undefined = from && parseState(from.state);
  const abort = new AbortController();
  const sliced = { ...recipeOf(spec), accumulate: exchange ? 1 : slices };
  const { state, evaluation } = await fit(network, dataset, sliced, {
    evaluation: dataset,
    ...withoutUndefined({ exchange }),
    start,
    signal: abort.signal,
    onStep: ({ step }) => step === to && abort.abort(),
  });
  const bytes = await network.save({ optimizer: true });
  return { bytes, state: serializeState(state), metrics: evaluation?.metrics ?? {} };
}

test("two ranks, and a run that was stopped, end in the bits of one process", async () => {
  const whole = await train();
  expect(parseState(whole.state)).toMatchObject({ step: 9 });
  expect(whole.metrics["recall_at_1"]).toBeGreaterThanOrEqual(0);
  const ranks = await Promise.all(loopback(2).map((exchange) => train({ exchange })));
  for (const { bytes, metrics } of ranks) {
    expect(bytes).toEqual(whole.bytes);
    expect(metrics["loss"]).toBeCloseTo(whole.metrics["loss"]!, 5);
    // One rank does not see the others' embeddings.
    expect(metrics).not.toHaveProperty("recall_at_1");
  }
  // In the second phase, with averages.
  const half = await train({ to: 5 });
  const rest = await train({ from: half });
  expect([rest.bytes, rest.metrics]).toEqual([whole.bytes, whole.metrics]);
});

test("early stopping by recall is refused where several ranks divide the examples", async () => {
  const spec = TRIPLETS.replace(
    "seed      = 3",
    "seed      = 3\n  stop      = early_stopping(patience=2, metric=recall_at_1)",
  );
  expect(compile(spec, { file: "tuples.net" }).diagnostics).toEqual([]);
  const [exchange] = loopback(2);
  await expect(train({ exchange: exchange!, spec })).rejects.toThrow("is not measured where");
});

describe.each([
  ["f32", TRIPLETS],
  ["f16", TRIPLETS.replace("seed      = 3", "seed      = 3\n  precision = f16")],
])("%s", (kind, spec) => {
  test.skipIf(kind === "f16" && adapter !== "lavapipe")(
    "bytes that the device prepares are the floats of the plain loops",
    async () => {
      const network = await open(spec);
      const { program } = network;
      for (const split of ["train", "eval"] as const) {
        const { transforms } = recipeOf(spec).data![split]!;
        const batchOf = async (dataset: Dataset) => {
          const staging = chooseStaging(program, split, { dataset, transforms });
          const shape = imageOf(program);
          const options = { batch: 4, shape, transforms, staging, seed: 5, epoch: 1 };
          const first = await loadBatches(dataset, { ...options, shuffle: true }).next();
          return first.value!.images as Inputs;
        };
        const staged = await batchOf(stripes("triplets"));
        const floats = await batchOf(stripes("triplets", "floats"));
        expect("staged" in staged).toBe(true);
        expect(Object.keys(floats)).toEqual(["anchor", "positive", "negative"]);
        const [one, other] = [await network.evaluate(staged), await network.evaluate(floats)];
        expect(one["loss"]).toBeCloseTo(other["loss"]!, 4);
        // What predictions do not need may be given or left out.
        const rows = await network.predict(staged);
        const { anchor } = floats as Readonly<Record<string, Float32Array>>;
        const alone = await network.predict({ anchor: anchor! });
        expect(await network.predict(floats)).toEqual(alone);
        rows.forEach((value, index) => expect(value).toBeCloseTo(alone[index]!, 3));
      }
    },
  );
});

test("an evaluation of floats measures the same recall", async () => {
  const network = await open(TRIPLETS);
  const { transforms } = recipeOf(TRIPLETS).data!.eval!;
  const [bytes, floats] = [
    await evaluateDataset(network, stripes("triplets"), { transforms }),
    await evaluateDataset(network, stripes("triplets", "floats"), { transforms }),
  ];
  expect(bytes!.metrics["recall_at_1"]).toBe(floats!.metrics["recall_at_1"]);
});

test("a module that only predicts has one input, and predicts the same", async () => {
  const network = await open(TRIPLETS);
  const alone = compile(TRIPLETS, { file: "tuples.net", predictOnly: true });
  expect(alone.programs[0]!.tensors.filter(({ role }) => role === "input")).toMatchObject([
    { name: "anchor" },
  ]);
  expect(Object.keys(alone.programs[0]!.preparations!)).toEqual(["eval"]);
  const predictor = await createPredictor(alone.programs, { adapter, batch: 4 });
  networks.push(predictor);
  await predictor.load(await network.save());
  const pictures = Float32Array.from({ length: 128 }, (_, at) => (at % 7) / 7);
  expect(await predictor.predict(pictures)).toEqual(await network.predict(pictures));
  const whole = predictor as unknown as Several;
  for (const call of ["step", "evaluate"] as const) {
    await expect(whole[call](pictures)).rejects.toThrow("run `netc compile tuples.net` without it");
  }
  await expect(network.predict({ positive: pictures })).rejects.toThrow("`anchor` must be");
});

test("types of modules: predict takes the pictures that it needs", () => {
  const { declarations } = compile(TRIPLETS, { file: "tuples.net" });
  expect(declarations).toMatch(
    /void, \{ readonly "anchor": [^}]*\}, Float32Array, string, Images>/,
  );
  const pairs = compile(SIAMESE_PAIRS, { file: "tuples.net" });
  expect(pairs.declarations).toMatch(/Float32Array, \{ readonly "left": [^}]*\}>/);
});

test("pairs: targets are numbers, and a stopped run ends in the bits of a whole one", async () => {
  const dataset = stripes("siamese");
  const whole = await train({ dataset, spec: SIAMESE_PAIRS });
  expect(whole.metrics).not.toHaveProperty("recall_at_1");
  const half = await train({ dataset, spec: SIAMESE_PAIRS, to: 2 });
  const rest = await train({ dataset, spec: SIAMESE_PAIRS, from: half });
  expect(rest.bytes).toEqual(whole.bytes);
});

test("a dataset that gives other pictures than the inputs is refused", async () => {
  const network = await open(TRIPLETS);
  await expect(fit(network, stripes("siamese"), recipeOf(TRIPLETS))).rejects.toThrow(
    "`siamese` gives the pictures { left, right }",
  );
  const single = { ...stripes("triplets"), tuples: undefined } as unknown as Dataset;
  await expect(fit(network, single, recipeOf(TRIPLETS))).rejects.toThrow("one image and one label");
});
