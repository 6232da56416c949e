/**
 * The kernels that make a batch's images from bytes, held against the plain loops of runtime/data.
 */
import { imageOf } from "../../program/tensors.js";
import { Comparison, ROUNDING } from "./comparison.js";
import type { Preparation, SplitName } from "../../program/program.js";
import { threefry } from "../../program/random.js";
import type { Dataset, Images, StagedImages } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { chooseStaging, type Staging } from "../../runtime/data/stage.js";
import { inspecting } from "../../runtime/inspection.js";
import type { Network } from "../../runtime/network.js";
import { tallyOf, type CheckOptions, type Tally } from "./tally.js";

/** Splits whose images the device prepares. */
export const preparedSplits = ({ program }: Pick<Network, "program">): readonly SplitName[] =>
  (["train", "eval"] as const).filter((split) => program.preparations?.[split]);

/** Prepares a batch of random bytes by a split's transforms, on the device and here. */
export async function verifyPreparation(
  network: Network,
  split: SplitName,
  { onChecked }: CheckOptions,
): Promise<Tally> {
  const { program, slice } = network;
  const preparation = program.preparations![split]!;
  const { expected, staged } = await loadBoth(network, split, preparation);
  const images = program.buffers.findIndex(({ purpose }) => purpose === "images");
  const actual = await network.inspect(
    "predict",
    { images: firstOf(staged, preparation, slice) },
    inspecting((inspection) => inspection.read(images)),
  );
  const { channels, height, width } = imageOf(program);
  const comparison = new Comparison();
  expected.subarray(0, slice * channels * height * width).forEach((value, index) => {
    const tolerance = ROUNDING * (1 + Math.abs(value));
    const name = `${split} images`;
    comparison.add({ value: name, index, expected: value, actual: actual[index]!, tolerance });
  });
  const { steps } = preparation;
  const { label: name, location } = steps[0]!;
  const kernels = [...new Set(steps.map(({ kernel }) => program.kernels[kernel]!.name))];
  const about = { list: "prepare", name, layer: name, line: location.line } as const;
  const result = { ...about, kernels, ...comparison.finding };
  onChecked?.(result);
  return tallyOf(result, steps.length);
}

/** A batch as the plain loops make it, and as bytes and draws. */
async function loadBoth(
  { program, slice, seed }: Network,
  split: SplitName,
  preparation: Preparation,
): Promise<{ readonly expected: Float32Array; readonly staged: StagedImages }> {
  const { transforms } = preparation;
  const dataset = randomDataset(preparation, slice);
  const options = { batch: slice, shape: imageOf(program), transforms, seed, epoch: 0 };
  const load = async (staging?: Staging): Promise<Images> => {
    const how = { ...options, shuffle: false, staging };
    const first = await loadBatches(dataset, how).next();
    return first.value!.images;
  };
  const staging = chooseStaging(program, split, { dataset, transforms });
  const [expected, staged] = [await load(), await load(staging)];
  return { expected: expected as Float32Array, staged: staged as StagedImages };
}

/**
 * Images of random bytes: of the size that the device takes where nothing is done to them before,
 * else of half as much again.
 */
function randomDataset({ first, staged }: Preparation, length: number): Dataset {
  const { channels } = staged;
  const [height, width] = [staged.height, staged.width].map((size) =>
    first === 0 ? size : Math.ceil(1.5 * size),
  ) as [number, number];
  return {
    name: "random bytes",
    classes: ["none"],
    length,
    pixels: "bytes",
    get(index) {
      const pixels = Uint8Array.from(
        { length: height * width * channels },
        (_, place) => threefry(index, 1, place, 0)[0] & 255,
      );
      return Promise.resolve({
        image: { width, height, channels, pixels, maximum: 255 },
        label: 0,
      });
    },
  };
}

/**
 * This many of the images: with `ten_crop` an example alone may be more than the device takes at a
 * time.
 */
function firstOf(
  { split, staged, draws }: StagedImages,
  { staged: { slot }, draws: { words }, views }: Preparation,
  count: number,
): StagedImages {
  return {
    split,
    staged: staged.subarray(0, count * slot),
    draws: draws.subarray(0, count * words * views),
  };
}
