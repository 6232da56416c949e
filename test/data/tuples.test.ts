/** Examples of several pictures: which pictures they are made of, and their batches. */
import { describe, expect, test } from "vitest";
import type { Batch, Dataset } from "../../runtime/data/dataset.js";
import { loadBatches, type LoaderOptions } from "../../runtime/data/loader.js";
import { drawTuple, withTuples } from "../../runtime/data/tuples.js";
import { RecallMeasure } from "../../runtime/retrieval/recall.js";
import { createRandom } from "../grammar/random.js";
import { countingDataset } from "./pattern.js";

const options: LoaderOptions = {
  batch: 4,
  shape: { channels: 1, height: 2, width: 2 },
  transforms: [],
  seed: 1,
  epoch: 0,
  shuffle: true,
};

/** Each picture is filled with its index, which is of the class `index % 3`. */
const labeled = (length: number): Dataset => ({
  ...countingDataset(length),
  labelAt: (index) => index % 3,
});

const triplets = withTuples(labeled(13), "triplets");
const siamese = withTuples(labeled(13), "siamese");

async function collect(dataset: Dataset, changes: Partial<LoaderOptions> = {}): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of loadBatches(dataset, { ...options, ...changes })) batches.push(batch);
  return batches;
}

type Named = Readonly<Record<string, Float32Array>>;

/** The index of each picture of an input. */
const shown = ({ images }: Batch, input: string): number[] =>
  [...(images as unknown as Named)[input]!].filter((_, place) => place % 4 === 0);

test("weights draw the first pictures of tuples, one for each class of theirs", async () => {
  const named = { ...labeled(60), classes: ["a", "b", "c"] };
  const drawn = async (weights: readonly number[]) => {
    const sampling = { kind: "weighted", weights } as const;
    const batches = await collect(withTuples(named, "siamese"), { sampling });
    return batches.flatMap((batch) => shown(batch, "left")).map((index) => index % 3);
  };
  expect(new Set(await drawn([0, 0, 1]))).toEqual(new Set([2]));
  await expect(drawn([0, 1])).rejects.toThrow("`weighted` has 2 numbers, but");
  await expect(drawn([0, 1, 1, 1])).rejects.toThrow("has 3 classes");
});

describe("triplets", () => {
  test("an epoch has each picture once as the anchor", async () => {
    const batches = await collect(triplets);
    const anchors = batches.flatMap((batch) => shown(batch, "anchor"));
    expect([...anchors].sort((a, b) => a - b)).toEqual([...Array(13).keys()]);
    for (const batch of batches) {
      const [own, same, other] = ["anchor", "positive", "negative"].map((name) =>
        shown(batch, name),
      );
      own!.forEach((index, place) => {
        expect(batch.labels[place]).toBe(index % 3);
        expect(same![place]! % 3).toBe(index % 3);
        expect(same![place]).not.toBe(index);
        expect(other![place]! % 3).not.toBe(index % 3);
      });
    }
  });

  test("follow from seed and epoch, and a pass that begins later has the same", async () => {
    const whole = await collect(triplets, { epoch: 2 });
    expect(await collect(triplets, { epoch: 2 })).toEqual(whole);
    expect(await collect(triplets, { epoch: 2, start: 2 })).toEqual(whole.slice(2));
    const drawn = (batches: readonly Batch[]) =>
      new Map(
        batches.flatMap((batch) => {
          const others = shown(batch, "negative");
          return shown(batch, "anchor").map((index, place) => [index, others[place]] as const);
        }),
      );
    expect(drawn(await collect(triplets, { epoch: 3 }))).not.toEqual(drawn(whole));
    expect(drawn(await collect(triplets, { epoch: 2, seed: 2 }))).not.toEqual(drawn(whole));
  });

  test("parts of a batch are those of the whole batch", async () => {
    const [whole] = await collect(triplets);
    const parts = await Promise.all(
      [0, 1].map(async (rank) => (await collect(triplets, { part: { rank, size: 2 } }))[0]!),
    );
    for (const name of ["anchor", "positive", "negative"]) {
      expect(parts.flatMap((part) => shown(part, name))).toEqual(shown(whole!, name));
    }
  });

  test("every other picture of a class, and every other class, is drawn at some time", () => {
    const [same, other] = [new Set<number>(), new Set<number>()];
    for (let epoch = 0; epoch < 200; epoch++) {
      const key = { seed: 7, epoch, example: 4 };
      const [, positive, negative] = drawTuple(
        { ...triplets, tuples: "triplets" },
        4,
        key,
      ).pictures;
      same.add(positive!.index);
      other.add(negative!.index);
    }
    expect([...same].sort((a, b) => a - b)).toEqual([1, 7, 10]);
    expect([...other].sort((a, b) => a - b)).toEqual([0, 2, 3, 5, 6, 8, 9, 11, 12]);
  });

  test("pictures of an example have separate keys for their transforms", () => {
    const key = { seed: 7, epoch: 1, example: 4 };
    const { pictures } = drawTuple({ ...triplets, tuples: "triplets" }, 4, key);
    expect(pictures[0]!.key).toEqual(key);
    expect(new Set(pictures.map((each) => each.key.example)).size).toBe(3);
  });

  test("an example is left out if one of its pictures cannot be read", async () => {
    const broken: Dataset = {
      ...withTuples(labeled(13), "triplets"),
      get: async (index) => (index === 5 ? undefined : triplets.get(index)),
    };
    const all = await collect(triplets, { shuffle: false });
    const left = await collect(broken, { shuffle: false });
    const names = ["anchor", "positive", "negative"];
    const rows = (batches: readonly Batch[]) =>
      batches.flatMap((batch) => {
        const columns = names.map((name) => shown(batch, name));
        return columns[0]!.map((_, place) => columns.map((column) => column[place]!));
      });
    const expected = rows(all).filter((row) => !row.includes(5));
    expect(expected.length).toBeLessThan(13);
    expect(rows(left)).toEqual(expected);
    // The picture itself is counted where it is read.
    expect(broken.incomplete!()).toBe(13 - expected.length - 1);
  });
});

test("siamese: half of the pairs are of one class, as the targets say", async () => {
  const many = withTuples(labeled(240), "siamese");
  const batches = await collect(many, { batch: 240 });
  const [batch] = batches as [Batch];
  const right = shown(batch, "right");
  shown(batch, "left").forEach((index, place) => {
    expect(batch.labels[place]).toBe(index % 3);
    expect((batch.targets as Uint32Array)[place]).toBe(Number(right[place]! % 3 === index % 3));
    expect(right[place]).not.toBe(index);
  });
  const share = (batch.targets as Uint32Array).reduce((sum, value) => sum + value, 0) / 240;
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
  expect(siamese.tuples).toBe("siamese");
});

describe("mistakes are found before the run", () => {
  test.each([
    ["one class", { labelAt: () => 0 }, "has one class: there is nothing to tell apart"],
    [
      "a class with one picture",
      { labelAt: (index: number) => (index === 3 ? 2 : index % 2), classes: ["a", "b", "lone"] },
      "the class lone of pattern has one",
    ],
    ["no labels", { labelAt: undefined }, "does not say before it is read"],
  ])("%s", (_, changes, message) => {
    const dataset = { ...labeled(8), name: "pattern", ...changes } as Dataset;
    expect(() => withTuples(dataset, "triplets")).toThrow(message);
  });

  test("a class without pictures does not count", () => {
    const labelAt = (index: number) => 2 * (index % 2);
    expect(withTuples({ ...labeled(8), labelAt }, "siamese").tuples).toBe("siamese");
  });
});

test("recall@1: the nearest other row is of the same class", () => {
  const measure = new RecallMeasure();
  // 0 and 1 are nearest to each other and of one class; 2 is nearest to 1, of another class.
  measure.add(Float32Array.of(0, 0, 1, 0), Uint32Array.of(4, 4));
  measure.add(Float32Array.of(3, 0, 90, 0, 91, 0), Uint32Array.of(5, 5, 5));
  expect(measure.result()).toBe(4 / 5);
  const spoilt = new RecallMeasure();
  spoilt.add(Float32Array.of(NaN, 0, 1), Uint32Array.of(1, 1, 1));
  expect(spoilt.result()).toBe(2 / 3);
  expect(spoilt.notFinite).toBe(1);
});

describe("recall@1 is that of a plain reference", () => {
  const random = createRandom(11);
  /** Of sums to the end, in the order of the rows, without a limit. */
  const reference = (rows: readonly number[][], classes: readonly number[], queries: number[]) => {
    const right = queries.filter((index) => {
      const distances = rows.map((row, other) =>
        other === index
          ? Infinity
          : row.reduce((sum, value, at) => sum + (value - rows[index]![at]!) ** 2, 0),
      );
      const nearest = distances.reduce(
        (best, distance, other) => (distance < distances[best]! ? other : best),
        index,
      );
      return nearest !== index && classes[nearest] === classes[index];
    });
    return right.length / queries.length;
  };
  const measured = (rows: readonly number[][], classes: readonly number[], most?: number) => {
    const measure = new RecallMeasure(most);
    // In batches, the last of which is smaller.
    for (let from = 0; from < rows.length; from += 16) {
      const part = rows.slice(from, from + 16);
      measure.add(Float32Array.from(part.flat()), Uint32Array.from(classes.slice(from, from + 16)));
    }
    return measure.result();
  };
  const all = (rows: readonly unknown[]) => [...rows.keys()];

  test.each([
    ["more numbers than are added at once", 37, 50, 1000],
    ["many ties", 61, 3, 2],
    ["nothing but ties", 20, 4, 1],
  ])("%s", (_, length, size, values) => {
    const rows = Array.from({ length }, () => Array.from({ length: size }, () => random(values)));
    const classes = rows.map(() => random(4));
    // A class with a single example is never right.
    classes[5] = 9;
    const expected = reference(rows, classes, all(rows));
    expect(expected).toBeLessThan(1);
    expect(measured(rows, classes)).toBe(expected);
    const some = Array.from({ length: 7 }, (_, query) => Math.floor((query * length) / 7));
    expect(measured(rows, classes, 7)).toBe(reference(rows, classes, some));
  });

  test("rows that are not finite are never right, and no row is near them", () => {
    const rows = [[0], [NaN], [Infinity], [Infinity], [1], [-Infinity]];
    expect(measured(rows, [1, 1, 1, 1, 1, 1])).toBe(2 / 6);
  });
});
