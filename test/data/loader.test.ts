import { expect, test } from "vitest";
import type { Batch, Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import type { LoaderOptions } from "../../runtime/data/loader.js";
import { holdoutOrder, shuffledOrder } from "../../runtime/data/random.js";
import { sampledOrder } from "../../runtime/data/sampling.js";
import { callsOf } from "../work.js";
import { countingDataset, patternImage } from "./pattern.js";

const options: LoaderOptions = {
  batch: 4,
  shape: { channels: 1, height: 2, width: 2 },
  transforms: [],
  seed: 1,
  epoch: 0,
  shuffle: true,
};

async function collect(dataset: Dataset, changes: Partial<LoaderOptions> = {}): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of loadBatches(dataset, { ...options, ...changes })) batches.push(batch);
  return batches;
}

/** Which examples the batches hold: each is filled with its index. */
function indices(batches: readonly Batch[]): number[] {
  return batches.flatMap(({ images }) => {
    return [...(images as Float32Array)].filter((_, position) => position % 4 === 0);
  });
}

test("a pass visits every example once, the last batch partial", async () => {
  const batches = await collect(countingDataset(10));
  expect(batches.map(({ count }) => count)).toEqual([4, 4, 2]);
  expect(indices(batches).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
  for (const { images, labels, count } of batches) {
    expect((images as Float32Array).length).toBe(count * 4);
    expect([...labels]).toEqual(indices([{ images } as Batch]).map((index) => index % 3));
  }
});

test("without shuffling the order is the dataset's", async () => {
  expect(indices(await collect(countingDataset(6), { shuffle: false }))).toEqual([
    0, 1, 2, 3, 4, 5,
  ]);
});

test("seed and epoch decide the order", async () => {
  const dataset = countingDataset(40);
  const order = async (changes: Partial<LoaderOptions>) => indices(await collect(dataset, changes));
  const first = await order({});
  expect(await order({})).toEqual(first);
  expect(await order({ epoch: 1 })).not.toEqual(first);
  expect(await order({ seed: 2 })).not.toEqual(first);
});

test("a pass that starts in the middle yields what the whole pass yields there", async () => {
  const crop = { kind: "random_crop", size: 2, padding: 1 } as const;
  const whole = await collect(countingDataset(19), { transforms: [crop] });
  const rest = await collect(countingDataset(19), { transforms: [crop], start: 2 });
  expect(rest).toEqual(whole.slice(2));
  expect(rest.map(({ position }) => position)).toEqual([2, 3, 4]);
});

test("the order in which examples arrive changes nothing", async () => {
  const dataset = countingDataset(12);
  const slow: Dataset = {
    ...dataset,
    get: async (index) => {
      await new Promise((resolve) => setTimeout(resolve, (index * 7) % 5));
      return dataset.get(index);
    },
  };
  expect(await collect(slow)).toEqual(await collect(dataset));
});

test("unreadable examples leave no gap, and a batch of nothing else is left out", async () => {
  const dataset = countingDataset(12, 2, [1, 3, 4, 5, 6, 7]);
  const batches = await collect(dataset, { shuffle: false });
  expect(batches.map(({ count }) => count)).toEqual([2, 4]);
  expect(indices(batches)).toEqual([0, 2, 8, 9, 10, 11]);
  expect([...batches[0]!.labels]).toEqual([0, 2]);
});

test("the next batches are prepared before they are asked for, and not more", async () => {
  const dataset = countingDataset(100);
  let asked = 0;
  const counting: Dataset = { ...dataset, get: (index) => (asked++, dataset.get(index)) };
  const batches = loadBatches(counting, { ...options, ahead: 2 });
  await batches.next();
  expect(asked).toBe(12);
  await batches.next();
  expect(asked).toBe(16);
  await batches.return();
});

test("an error in a batch reaches the consumer, also from batches ahead", async () => {
  const dataset = countingDataset(12);
  const failing: Dataset = {
    ...dataset,
    get: (index) => (index === 9 ? Promise.reject(new Error("broken")) : dataset.get(index)),
  };
  await expect(collect(failing, { shuffle: false })).rejects.toThrow("broken");
});

test("images of another size are refused with the transform that helps", async () => {
  const image = patternImage(6, 5);
  const dataset: Dataset = {
    ...countingDataset(3),
    get: () => Promise.resolve({ image, label: 0 }),
  };
  const shape = { channels: 3, height: 4, width: 4 };
  await expect(collect(dataset, { shape })).rejects.toMatchObject({
    message: expect.stringContaining("6x5 pixels"),
    hint: expect.stringContaining("resize(4) -> center_crop(4)"),
  });
});

test("shuffles are the same on every machine", () => {
  expect([...shuffledOrder(12, { seed: 42, epoch: 3 })]).toMatchInlineSnapshot(`
    [
      3,
      7,
      6,
      5,
      11,
      10,
      8,
      1,
      0,
      9,
      4,
      2,
    ]
  `);
  expect([...holdoutOrder(12, 0)]).toMatchInlineSnapshot(`
    [
      8,
      3,
      11,
      9,
      10,
      7,
      6,
      2,
      1,
      5,
      0,
      4,
    ]
  `);
});

test("every example comes to every place about equally often", () => {
  const counts = new Uint32Array(25);
  for (let epoch = 0; epoch < 5000; epoch++) {
    shuffledOrder(5, { seed: 3, epoch }).forEach((value, place) => counts[place * 5 + value]!++);
  }
  expect(Math.min(...counts)).toBeGreaterThan(870);
  expect(Math.max(...counts)).toBeLessThan(1130);
});

test("drop_last leaves out a last batch that is not whole", async () => {
  const batches = await collect(countingDataset(10), { dropLast: true });
  expect(batches.map(({ count }) => count)).toEqual([4, 4]);
  expect(await collect(countingDataset(8), { dropLast: true })).toHaveLength(2);
});

/** Of 250 examples a tenth has label 1, and none label 2. */
const unbalanced: Dataset = {
  ...countingDataset(250),
  labelAt: (index) => Number(index % 10 === 0),
};

test("balanced sampling draws all classes alike, and weights as they say", async () => {
  const share = async (sampling: NonNullable<LoaderOptions["sampling"]>) => {
    const drawn = indices(await collect(unbalanced, { sampling }));
    expect(drawn).toHaveLength(250);
    return drawn.filter((index) => index % 10 === 0).length / 250;
  };
  // Three standard deviations are 0.095.
  expect(Math.abs((await share({ kind: "balanced" })) - 0.5)).toBeLessThan(0.095);
  const weighted = await share({ kind: "weighted", weights: [1, 3, 5] });
  expect(Math.abs(weighted - 0.25)).toBeLessThan(0.083);
  expect(await share({ kind: "weighted", weights: [0, 1, 1] })).toBe(1);
});

test("sampled batches follow from seed and epoch, in the middle and in parts, too", async () => {
  const crop = { kind: "random_crop", size: 2, padding: 1 } as const;
  const changes = { sampling: { kind: "balanced" }, transforms: [crop] } as const;
  const whole = await collect(unbalanced, changes);
  expect(await collect(unbalanced, { ...changes, start: 50 })).toEqual(whole.slice(50));
  expect(await collect(unbalanced, { ...changes, epoch: 1 })).not.toEqual(whole);
  const [first, second] = await Promise.all(
    [0, 1].map((rank) => collect(unbalanced, { ...changes, part: { rank, size: 2 } })),
  );
  const joined = first!.map(({ images }, at) => [
    ...(images as Float32Array),
    ...(second![at]!.images as Float32Array),
  ]);
  expect(joined).toEqual(whole.map(({ images }) => [...(images as Float32Array)]));
});

test("sampling says what it needs", async () => {
  const sampling = { kind: "balanced" } as const;
  const unlabeled = { ...unbalanced, labelAt: undefined } as unknown as Dataset;
  await expect(collect(unlabeled, { sampling })).rejects.toThrow("the label of each example");
  const none = { kind: "weighted", weights: [0, 0, 1] } as const;
  await expect(collect(unbalanced, { sampling: none })).rejects.toThrow("no example of a class");
});

test("drawing an epoch takes work by its examples, whatever the number of classes", async () => {
  const ofClasses = (classes: number, length: number): Dataset => ({
    ...countingDataset(length),
    labelAt: (index) => index % classes,
  });
  const sampling = { kind: "balanced" } as const;
  const key = { sampling, seed: 1, epoch: 0 };
  const callsPerExample = async (dataset: Dataset) =>
    (await callsOf(() => sampledOrder(dataset, key))) / dataset.length;
  sampledOrder(ofClasses(10, 100), key);
  const few = await callsPerExample(ofClasses(10, 4000));
  const many = await callsPerExample(ofClasses(2000, 4000));
  expect(few).toBeGreaterThan(1);
  // A class has its members and its share, once.
  expect(many).toBeLessThan(few + 3);
  const dataset = ofClasses(10, 4000);
  sampledOrder(dataset, key);
  // Labels are read once, not in each epoch.
  const labels = { file: "loader.test", name: "labelAt" };
  expect(await callsOf(() => sampledOrder(dataset, { ...key, epoch: 1 }), labels)).toBe(0);
});
