/** Which numbers a network of a standardized table standardizes, and by what. */
import { expect, test } from "vitest";
import type { Program } from "../../program/program.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { datasetInMemory } from "../../runtime/data/memory.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { keepWeights } from "../../runtime/hot.js";
import { standardizing } from "../../runtime/standardizing.js";

const SCALE = { x: { mean: [10, 100], std: [2, 4] } };

const SHAPE = { channels: 2, height: 1, width: 1 };

const programOf = (size: number) =>
  ({
    tensors: [
      { name: "x", role: "input", dtype: "f32", shape: [size], axes: ["channels"] },
      { name: "words", role: "input", dtype: "u32", shape: [2], axes: ["tokens"] },
    ],
  }) as unknown as Program;

/** A network that answers with what it was given. */
class Echo {
  readonly parameters = [];
  metadata: Record<string, string> = {};
  constructor(readonly program: Program) {}
  load = () => Promise.resolve(this.metadata);
  save = ({ metadata }: { metadata?: object }) => Promise.resolve(metadata);
  predict(...given: unknown[]): Promise<unknown> {
    return Promise.resolve(structuredClone(given));
  }
  classify = (...given: unknown[]) => this.predict(...given);
  measureStep = (...given: unknown[]) => this.predict(...given);
  step = (...given: unknown[]) => this.measureStep(...given);
  measure = (...given: unknown[]) => this.predict(...given);
  evaluate = (...given: unknown[]) => this.measure(...given);
  inspectCall = (_call: string, { images }: { images: unknown }) => this.predict(images);
  read = () => Promise.resolve(new Float32Array());
  write = () => Promise.resolve();
}

const opened = (size = 2) => standardizing(new Echo(programOf(size)), ["x"]);

const ROW = Float32Array.of(12, 104);

function tableOf(scale: typeof SCALE): Dataset {
  const description = { name: "t", classes: [], length: 3, table: { scale } };
  return datasetInMemory({ ...description, pixels: "floats" }, () => ({
    label: 0,
    image: { ...SHAPE, maximum: 1, pixels: Float32Array.of(0.5, -1) },
  }));
}

async function batchOf(scale: typeof SCALE): Promise<Float32Array> {
  const options = { batch: 3, shape: SHAPE, transforms: [], seed: 0, epoch: 0, shuffle: false };
  for await (const { images } of loadBatches(tableOf(scale), options)) {
    return images as Float32Array;
  }
  throw new Error("no batch");
}

test.each(["predict", "classify", "step", "measureStep", "evaluate", "measure"] as const)(
  "`%s` standardizes an array once",
  async (name) => {
    const net = opened();
    net.standardizeBy(SCALE);
    expect(await net[name](ROW)).toEqual([Float32Array.of(1, 1)]);
    expect(await net[name]({ x: ROW, words: ROW })).toEqual([
      { x: Float32Array.of(1, 1), words: ROW },
    ]);
    expect(await net.inspectCall(name, { images: ROW })).toEqual([Float32Array.of(1, 1)]);
  },
);

test("batches of a table stay, and say by what a new network standardizes", async () => {
  const net = opened();
  const batch = await batchOf(SCALE);
  await expect(net.predict(ROW)).rejects.toThrow("nothing says by which means");
  for (const name of ["predict", "step", "evaluate"] as const) {
    expect(await net[name](batch)).toEqual([batch]);
  }
  expect(net.scales).toEqual(SCALE);
  expect(await net.save({})).toEqual({ table: JSON.stringify({ scale: SCALE }) });
  expect(await net.predict(ROW)).toEqual([Float32Array.of(1, 1)]);
});

test("a table that was standardized by other numbers is refused", async () => {
  const net = opened();
  net.standardizeBy({ x: { mean: [0, 0], std: [1, 1] } });
  await expect(net.step(await batchOf(SCALE))).rejects.toThrow(/other means and deviations/);
});

test("calls during `load` take all arrays as they are then", async () => {
  const net = opened();
  net.metadata = { table: JSON.stringify({ scale: SCALE }) };
  const loading = net.load();
  const words = Uint32Array.of(1, 2);
  const [row, labels] = [ROW.slice(), Uint32Array.of(1)];
  const batch = await batchOf(SCALE);
  const calls = [net.step({ x: row, words }, labels), net.step({ x: batch, words }, [4])];
  for (const each of [row, words, labels]) each.fill(0);
  await loading;
  const kept = Uint32Array.of(1, 2);
  expect(await Promise.all(calls)).toEqual([
    [{ x: Float32Array.of(1, 1), words: kept }, Uint32Array.of(1)],
    [{ x: batch, words: kept }, [4]],
  ]);
});

test("scales that are not finite or not of this model are refused", async () => {
  const net = opened();
  for (const std of [[1], [1, 0], [1, NaN], [1, Infinity]]) {
    expect(() => net.standardizeBy({ x: { mean: [0, 0], std } })).toThrow(/takes 2 means/);
  }
  net.metadata = { table: JSON.stringify({ scale: { x: { mean: [1], std: [1] } } }) };
  await expect(net.load()).rejects.toThrow("the weights' `table`: `x` takes 2 means");
  expect(net.scales).toBeUndefined();
});

test("a dev server keeps them, for a model of as many columns", async () => {
  const hot = {
    data: {},
    dispose(before: (data: object) => void) {
      this.change = () => before(this.data);
    },
    change: () => {},
  };
  const create = async (size: number) => {
    const open = keepWeights(() => Promise.resolve(new Echo(programOf(size)) as never), hot);
    return standardizing((await open([])) as Echo, ["x"]);
  };
  (await create(2)).standardizeBy(SCALE);
  hot.change();
  expect((await create(2)).scales).toEqual(SCALE);
  hot.change();
  expect((await create(3)).scales).toBeUndefined();
});
