/**
 * The kernels that make a batch's images from bytes, held against the plain loops of runtime/data.
 */
import { imageOf, sizeOf, tensorsOf } from "../../program/tensors.js";
import { TUPLE_INPUTS, type TupleKind } from "../../program/tuples.js";
import { Comparison, ROUNDING } from "./comparison.js";
import type { Preparation, PreparationName, ProgramTensor } from "../../program/program.js";
import { threefry } from "../../program/random.js";
import type { Dataset, Images, StagedImages } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { chooseStaging, type Staging } from "../../runtime/data/stage.js";
import { inspecting } from "../../runtime/inspection.js";
import type { Network } from "../../runtime/network.js";
import { tallyOf, type CheckOptions, type Tally } from "./tally.js";

/** Splits whose images the device prepares. */
export const preparedSplits = ({ program }: Pick<Network, "program">): readonly PreparationName[] =>
  (["train", "eval", "evalTuples"] as const).filter((split) => program.preparations?.[split]);

/** Prepares a batch of random bytes by a split's transforms, on the device and here. */
export async function verifyPreparation(
  network: Network,
  split: PreparationName,
  { onChecked }: CheckOptions,
): Promise<Tally> {
  const { program, slice } = network;
  const preparation = program.preparations![split]!;
  const { expected, staged } = await loadBoth(network, split, preparation);
  const comparison = new Comparison();
  for (const { input, values } of byTensor(program, preparation, expected)) {
    const actual = await network.inspect(
      "predict",
      { images: firstOf(staged, preparation, slice) },
      inspecting((inspection) => inspection.read(input.buffer)),
    );
    values.subarray(0, slice * sizeOf(input.shape)).forEach((value, index) => {
      const tolerance = ROUNDING * (1 + Math.abs(value));
      const name = `${split} ${preparation.pictures ? input.name : "images"}`;
      comparison.add({ value: name, index, expected: value, actual: actual[index]!, tolerance });
    });
  }
  const { steps } = preparation;
  const { label: name, location } = steps[0]!;
  const kernels = [...new Set(steps.map(({ kernel }) => program.kernels[kernel]!.name))];
  const about = { list: "prepare", name, layer: name, line: location.line } as const;
  const result = { ...about, kernels, ...comparison.finding };
  onChecked?.(result);
  return tallyOf(result, steps.length);
}

/** What the kernels of a preparation write, and what the plain loops make of it. */
function byTensor(
  program: Network["program"],
  { pictures, steps }: Preparation,
  expected: Images,
): readonly { readonly input: ProgramTensor; readonly values: Float32Array }[] {
  const inputs = tensorsOf(program, "input");
  if (!pictures) {
    const written = new Set(steps.flatMap(({ buffers }) => buffers));
    const input = inputs.find(({ buffer }) => written.has(buffer))!;
    return [{ input, values: expected as Float32Array }];
  }
  const named = expected as unknown as Readonly<Record<string, Float32Array>>;
  return inputs.map((input) => ({ input, values: named[input.name]! }));
}

/** Examples of this many pictures. */
const tuplesOf = (pictures: number): TupleKind =>
  pictures === TUPLE_INPUTS.triplets.length ? "triplets" : "siamese";

/** A batch as the plain loops make it, and as bytes and draws. */
async function loadBoth(
  { program, slice, seed }: Network,
  split: PreparationName,
  preparation: Preparation,
): Promise<{ readonly expected: Images; readonly staged: StagedImages }> {
  const { transforms } = preparation;
  const dataset = randomDataset(preparation, slice);
  const options = { batch: slice, shape: imageOf(program), transforms, seed, epoch: 0 };
  const load = async (staging?: Staging): Promise<Images> => {
    const how = { ...options, shuffle: false, staging };
    const first = await loadBatches(dataset, how).next();
    return first.value!.images;
  };
  const from = split === "train" ? split : "eval";
  const staging = chooseStaging(program, from, { dataset, transforms });
  const [expected, staged] = [await load(), await load(staging)];
  return { expected, staged: staged as StagedImages };
}

/**
 * Images of random bytes: of the size that the device takes where nothing is done to them before,
 * else of half as much again.
 */
function randomDataset({ first, staged, pictures }: Preparation, slice: number): Dataset {
  // Two of a class, and two classes.
  const length = pictures ? Math.max(4, slice) : slice;
  const { channels } = staged;
  const [height, width] = [staged.height, staged.width].map((size) =>
    first === 0 ? size : Math.ceil(1.5 * size),
  ) as [number, number];
  return {
    name: "random bytes",
    classes: ["none", "other"],
    length,
    pixels: "bytes",
    tuples: pictures === undefined ? undefined : tuplesOf(pictures),
    labelAt: (index) => index % 2,
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
