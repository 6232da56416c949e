import { tensorsFor } from "../tensors.js";
import { expect, test } from "vitest";
import { isBetter, objectiveOf, watchedBy } from "../../runtime/training/best.js";
import { fit, type EpochReport, type TrainingState } from "../../runtime/training/index.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { FakeNetwork, measured, numberedDataset, RECIPE } from "./fake.js";

const stop = (metric: string): TrainRecipe["stop"] => ({
  kind: "early_stopping",
  metric,
  patience: 100,
  minimumChange: 0,
});

test("the best is by what `stop` watches, else by the first metric, else by the loss", () => {
  const program = { metrics: ["loss", "top2", "top1"], fractions: ["top2", "top1"] };
  expect(objectiveOf({}, program)).toEqual({ metric: "top2", rises: true });
  expect(objectiveOf({ stop: stop("top1") }, program)).toEqual({ metric: "top1", rises: true });
  expect(objectiveOf({ stop: stop("loss") }, program)).toEqual({ metric: "loss", rises: false });
  expect(objectiveOf({}, { metrics: ["loss"], fractions: [] }).metric).toBe("loss");
  // Not a share: the smaller the better.
  expect(objectiveOf({}, { metrics: ["loss", "error"], fractions: [] }).rises).toBe(false);
});

test("losses of steps that may compete choose no best; a metric does", async () => {
  const optimizer = RECIPE.optimizer;
  const steps = ["d", "g"].map((name) => ({ name, update: [], optimizer }));
  const program = { metrics: ["loss", "d", "g", "certain"], fractions: [] };
  expect(objectiveOf({ steps }, program).metric).toBe("certain");
  const evaluation = numberedDataset(2);
  const recipe = { ...RECIPE, epochs: 2 };
  const run = (own: TrainRecipe) =>
    fit(new FakeNetwork(4), numberedDataset(6), own, { evaluation });
  expect((await run(recipe)).state.best).toBeDefined();
  expect((await run({ ...recipe, steps })).state.best).toBeUndefined();
});

test("`best` chooses, and gives `stop` of the same metric its direction", () => {
  const program = { metrics: ["loss", "within", "error"], fractions: [] };
  const best = { metric: "within", rises: true };
  expect(objectiveOf({ best }, program)).toEqual(best);
  expect(objectiveOf({ best, stop: stop("loss") }, program)).toEqual(best);
  expect(objectiveOf({ best }, program, { loss: 1, recall_at_1: 1 })).toEqual(best);
  expect(watchedBy({ metric: "within" }, best, program)).toEqual(best);
  expect(watchedBy({ metric: "error" }, best, program)).toEqual({ metric: "error", rises: false });
  expect(watchedBy({ metric: "within" }, undefined, program).rises).toBe(false);
});

test("of equal evaluations the one with the lower loss is better", () => {
  const objective = { metric: "top1", rises: true };
  const better = (top1: number, loss: number, best?: { top1: number; loss: number }) =>
    isBetter(objective, { metrics: { top1, loss } }, best && { metrics: best });
  expect(better(0, 9)).toBe(true);
  expect(better(0.5, 1, { top1: 0.4, loss: 0.1 })).toBe(true);
  expect(better(0.5, 1, { top1: 0.6, loss: 2 })).toBe(false);
  expect(better(0.5, 1, { top1: 0.5, loss: 2 })).toBe(true);
  expect(better(0.5, 1, { top1: 0.5, loss: 1 })).toBe(false);
  expect(better(1, NaN)).toBe(false);
  expect(better(NaN, 1, { top1: 0, loss: 9 })).toBe(false);
});

test("boxes are judged by their precision, and by the loss where it is not measured", () => {
  const objective = objectiveOf({}, { metrics: ["loss"], fractions: ["map50", "map"] });
  expect(objective).toEqual({ metric: "map", rises: true });
  const of = (metrics: Record<string, number>) => ({ metrics });
  expect(isBetter(objective, of({ loss: 2, map: 0.2 }), of({ loss: 1, map: 0.1 }))).toBe(true);
  expect(isBetter(objective, of({ loss: 1 }), of({ loss: 2 }))).toBe(true);
  expect(isBetter(objective, of({ loss: 2 }), of({ loss: 1 }))).toBe(false);
  // A run of one process that several ranks continue.
  expect(isBetter(objective, of({ loss: 1 }), of({ loss: 2, map: 0.4 }))).toBe(true);
  expect(isBetter(objective, of({ loss: 2 }), of({ loss: 1, map: 0.4 }))).toBe(false);
});

/** Evaluations give these, one after the other. */
class Scripted extends FakeNetwork {
  override readonly program = {
    tensors: tensorsFor({ channels: 1, height: 2, width: 2 }),
    metrics: ["loss", "top2", "top1"],
    fractions: ["top2", "top1"],
  };

  constructor(private readonly script: readonly { top2: number; top1: number; loss: number }[]) {
    super(8);
  }

  override measure() {
    return Promise.resolve(measured(this.script[this.evaluations++]!, 8));
  }
}

const SCRIPT = [
  { top2: 1, top1: 0.5, loss: 3 },
  { top2: 0.9, top1: 1, loss: 2 },
  { top2: 0.9, top1: 1, loss: 1 },
  { top2: 0.9, top1: 0.9, loss: 0.5 },
];

async function run(changes: Partial<TrainRecipe>, start?: TrainingState, epochs = 4) {
  const network = new Scripted(SCRIPT);
  network.evaluations = start?.epoch ?? 0;
  const reports: EpochReport[] = [];
  const dataset = numberedDataset(8);
  const options = {
    evaluation: dataset,
    start,
    onEpoch: (each: EpochReport) => void reports.push(each),
  };
  const result = await fit(network, dataset, { ...RECIPE, ...changes, epochs }, options);
  return { best: result.state.best, state: result.state, reports };
}

test("a run's best follows the metric that stops it, whatever is declared first", async () => {
  const watched = await run({ stop: stop("top1") });
  expect(watched.reports.map(({ isBest }) => isBest)).toEqual([true, true, true, false]);
  expect(watched.best).toEqual({ step: 6, epoch: 3, examples: 8, metrics: SCRIPT[2] });
  const first = await run({});
  expect(first.best).toMatchObject({ epoch: 1, metrics: { top2: 1 } });
});

test("a resumed run continues from the best so far", async () => {
  const { state } = await run({ stop: stop("top1") }, undefined, 3);
  const resumed = await run({ stop: stop("top1") }, JSON.parse(JSON.stringify(state)), 4);
  expect(resumed.reports.map(({ isBest }) => isBest)).toEqual([false]);
  expect(resumed.best!.epoch).toBe(3);
});

test("a run without evaluations has no best", async () => {
  const { state } = await fit(new FakeNetwork(8), numberedDataset(8), RECIPE);
  expect(state.best).toBeUndefined();
});
