/**
 * Images that the device prepares from bytes are those that the plain loops make, for every
 * transform.
 */
import { tensorsOf } from "../../program/tensors.js";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { chooseStaging } from "../../runtime/data/stage.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { patternImage } from "../data/pattern.js";

interface Case {
  readonly train: string;
  readonly source?: string;
  readonly channels?: 1 | 3;
  /** Height and width of the network's input. */
  readonly size: number;
  /** Of the images. */
  readonly width: number;
  readonly height: number;
  /** Transforms that happen on the device. */
  readonly prepared: number;
}

const NORMALIZE = "normalize(mean=[0.49, 0.48, 0.45], std=[0.25, 0.24, 0.26])";

const SQUARE = { width: 12, height: 12, size: 12 };

const cases: readonly Case[] = [
  { ...SQUARE, train: "", prepared: 0 },
  { ...SQUARE, train: NORMALIZE, prepared: 1 },
  { ...SQUARE, train: "normalize(mean=0.3, std=0.4)", channels: 1, prepared: 1 },
  { ...SQUARE, train: `hflip -> vflip(0.4) -> ${NORMALIZE}`, prepared: 3 },
  { train: `resize(10) -> random_crop(8) -> hflip`, width: 17, height: 13, size: 8, prepared: 1 },
  {
    train:
      "resize(10) -> center_crop(9) -> random_crop(9, " +
      `padding=3) -> hflip -> random_crop(8) -> ${NORMALIZE}`,
    width: 17,
    height: 13,
    size: 8,
    prepared: 4,
  },
  // Crops that remove 3, 2 and 1 pixels: halves are rounded to even numbers.
  {
    train: `random_resized_crop(12) -> center_crop(9) -> center_crop(7) -> center_crop(6)`,
    width: 17,
    height: 13,
    size: 6,
    prepared: 3,
  },
  {
    train: `random_resized_crop(7) -> ${NORMALIZE} -> random_crop(7, padding=2)`,
    width: 17,
    height: 13,
    size: 7,
    prepared: 2,
  },
  {
    train: "color_jitter(0.5, 0.5, 0.5, 0.3) -> hflip",
    ...SQUARE,
    prepared: 2,
  },
  { ...SQUARE, train: "color_jitter(0.5, 0.4) -> vflip", channels: 1, prepared: 2 },
  {
    train:
      "color_jitter(contrast=[0.2, 1.8]) -> random_erasing(1) " +
      `-> color_jitter(hue=0.5, contrast=0.9) -> ${NORMALIZE}`,
    ...SQUARE,
    prepared: 4,
  },
  {
    ...SQUARE,
    train: `pca_noise(0.5) -> ${NORMALIZE} -> random_erasing(0.7, value=0.5)`,
    prepared: 3,
  },
  { ...SQUARE, train: `hflip -> ${NORMALIZE} -> cutmix`, prepared: 3 },
  { ...SQUARE, train: `rotation(40) -> hflip -> vflip`, prepared: 3 },
  // Places between two pixels: both decide alike, by whole numbers.
  {
    train: "resize([8, 11]) -> rotation([90, 90]) -> affine(scale=[2, 2]) -> random_crop(8)",
    width: 11,
    height: 8,
    size: 8,
    prepared: 3,
  },
  {
    ...SQUARE,
    train:
      "affine(20, translate=[0.2, 0.1], scale=[0.7, 1.4], shear=20) -> " +
      `${NORMALIZE} -> mixup_or_cutmix`,
    prepared: 3,
  },
  { ...SQUARE, train: `color_jitter(contrast=0.5) -> vflip -> mixup(0.4)`, prepared: 3 },
  // What is left to chance stays on the device, and changes nothing where it is not drawn.
  {
    ...SQUARE,
    train:
      "pca_noise(1) -> " +
      "one_of(color_jitter(0.5, 0.5, 0.5, 0.3), vflip(1), rotation(30), identity) " +
      `-> random_apply(hflip(1), affine(20), random_erasing(1)) -> ${NORMALIZE}`,
    prepared: 8,
  },
  {
    ...SQUARE,
    train:
      "resize([12, 12]) -> one_of(random_crop(12, padding=2), gaussian_blur(3), rand_augment) -> " +
      "random_apply(one_of(hflip(1), vflip(1)), probability=0.7) -> " +
      "one_of(mixup(0.3), cutmix, identity, probabilities=[0.4, 0.4, 0.2])",
    prepared: 3,
  },
  {
    ...SQUARE,
    train: `hflip -> ${NORMALIZE} -> random_erasing(0.9, value=random) -> vflip`,
    prepared: 4,
  },
  { ...SQUARE, train: "random_erasing(0.9, value=random)", channels: 1, prepared: 1 },
  // Sides that differ on the way; what happens here comes before, in bytes.
  {
    train:
      "resize([12, 20], mode=bicubic) -> random_crop([9, 16], padding=1) -> " +
      "center_crop([8, 8]) -> hflip",
    width: 17,
    height: 13,
    size: 8,
    prepared: 3,
  },
  {
    train:
      "letterbox([12, 9], value=0.5) -> perspective -> rand_augment(2, 12) -> trivial_augment " +
      `-> aug_mix -> gaussian_blur(3) -> random_crop(8) -> ${NORMALIZE}`,
    width: 17,
    height: 13,
    size: 8,
    prepared: 2,
  },
];

/** A network whose prediction is its input. */
function specOf({ train, channels = 3, size }: Case): string {
  const values = channels * size * size;
  return `
    model Images {
      input  image: f32[N, ${channels}, ${size}, ${size}]
      target label: u32[N] in 0..${values}
      flatten -> linear(${values}) as logits
      loss cross_entropy(logits, label)
    }
    data Pictures for Images {
      train folder("pictures") { ${train} }
    }
    train Base of Images on Pictures {
      epochs    = 1
      batch     = 5
      optimizer = sgd(lr=0.1)
    }`;
}

async function makeIdentity(network: Network): Promise<void> {
  const [values] = tensorsOf(network.program, "prediction")[0]!.shape as [number];
  const weight = new Float32Array(values * values);
  for (let index = 0; index < values; index++) weight[index * (values + 1)] = 1;
  await network.write("logits.weight", weight);
  await network.write("logits.bias", new Float32Array(values));
}

function pictures({ width, height, channels = 3 }: Case): Dataset {
  return {
    name: "pictures",
    classes: ["a", "b", "c"],
    length: 9,
    pixels: "bytes",
    get: (index) => {
      if (index === 4) return Promise.resolve(undefined);
      const image = patternImage(width, height, channels);
      const pixels = Uint8Array.from(image.pixels, (value, at) => (value + index * at) % 256);
      return Promise.resolve({ image: { ...image, pixels }, label: index % 3 });
    },
  };
}

/** WGSL computes sines and cosines to 2^-11, and noise is up to 5 times as large. */
const NOISE_ERROR = 5 * 2 ** -11;

test.each(cases)("$train of $channels channels", async (each) => {
  const { programs, diagnostics } = compile(specOf(each), { file: "images.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const { channels = 3, size } = each;
  const { transforms, first } = programs[0]!.preparations!.train!;
  expect(transforms.length - first).toBe(each.prepared);
  const network = await createNetwork(programs, { batch: 5 });
  const dataset = pictures(each);
  const shape = { channels, height: size, width: size };
  const options = { batch: 5, shape, transforms, seed: 3, epoch: 2, shuffle: true };
  const staging = chooseStaging(network.program, "train", { dataset, transforms });
  const staged = loadBatches(dataset, { ...options, staging });
  try {
    await makeIdentity(network);
    for await (const expected of loadBatches(dataset, options)) {
      const batch = (await staged.next()).value!;
      expect(batch.count).toBe(expected.count);
      expect(batch.targets).toEqual(expected.targets);
      const actual = await network.predict(batch.images);
      const difference = largestDifference(actual, expected.images as Float32Array);
      expect(difference).toBeLessThan(each.train.includes("value=random") ? NOISE_ERROR : 2e-5);
    }
    expect((await staged.next()).done).toBe(true);
  } finally {
    network.destroy();
  }
});

test("a staged batch in slices equals a whole one: predictions and step", async () => {
  const each = { ...SQUARE, train: `hflip -> ${NORMALIZE} -> cutmix`, prepared: 3 };
  const { programs } = compile(specOf(each), { file: "images.net" });
  const { transforms } = programs[0]!.preparations!.train!;
  const dataset = pictures(each);
  const shape = { channels: 3, height: 12, width: 12 };
  const results: { readonly predicted: Float32Array; readonly weights: Float32Array }[] = [];
  for (const accumulate of [1, 3]) {
    const network = await createNetwork(programs, { batch: 5, accumulate, seed: 4 });
    try {
      const staging = chooseStaging(network.program, "train", { dataset, transforms });
      const options = { batch: 5, shape, transforms, staging, seed: 3, epoch: 2, shuffle: true };
      const { images, targets } = (await loadBatches(dataset, options).next()).value!;
      expect(images).not.toBeInstanceOf(Float32Array);
      const predicted = await network.predict(images);
      await network.step(images, targets);
      results.push({ predicted, weights: await network.read("logits.weight") });
    } finally {
      network.destroy();
    }
  }
  const [whole, sliced] = results as [(typeof results)[0], (typeof results)[0]];
  expect(largestDifference(sliced.predicted, whole.predicted)).toBeLessThan(2e-5);
  expect(largestDifference(sliced.weights, whole.weights)).toBeLessThan(2e-5);
});

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return actual.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - expected[index]!)),
    0,
  );
}
