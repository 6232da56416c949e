/** What a network makes of pictures where it predicts a class for each pixel. */
import { imageOf } from "../program/tensors.js";
import type { Transform } from "../program/transforms.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { prepareExample } from "../runtime/data/memory.js";
import { floatStaging } from "../runtime/data/stage.js";
import { firstOf } from "../runtime/evaluation/index.js";
import type { Network } from "../runtime/network.js";
import { colorOf, type IndexedPicture } from "./mask-png.js";

/** A picture with what was predicted for its pixels, as large as the network's input. */
export interface Segmented {
  /** RGB, rows from the top. */
  readonly picture: Uint8Array;
  readonly predicted: IndexedPicture;
  /** The labels, where the dataset has them. */
  readonly truth: IndexedPicture | undefined;
  /** Whether all logits are finite. */
  readonly isFinite: boolean;
}

/** An example as the network takes it, and as a picture; undefined where it cannot be read. */
export async function prepareShown(
  network: Network,
  dataset: Dataset,
  example: number,
  transforms: readonly Transform[],
) {
  const key = { seed: 0, epoch: 0, example };
  const found = await prepareExample(dataset, example, { transforms, key });
  if (!found) return undefined;
  const shape = imageOf(network.program);
  const staged = floatStaging(transforms, shape).start(1);
  staged.write(0, found.image, key);
  const planes = staged.finish(1, undefined) as Float32Array;
  // Before the call, which may take the memory.
  const picture = pictureOf(planes, transforms, shape);
  return { found, planes, picture, shape };
}

/** Predicts one example; undefined where it cannot be read. */
export async function segment(
  network: Network,
  dataset: Dataset,
  example: number,
  transforms: readonly Transform[],
): Promise<Segmented | undefined> {
  const prepared = await prepareShown(network, dataset, example, transforms);
  if (!prepared) return undefined;
  const { found, planes, picture, shape } = prepared;
  const { width, height } = shape;
  const logits = firstOf(network.program, await network.predict(planes));
  const pixels = largestOf(logits, width * height);
  const truth = found.mask && { width, height, pixels: found.mask.pixels };
  const isFinite = logits.every(Number.isFinite);
  return { picture, predicted: { width, height, pixels }, truth, isFinite };
}

/** The class of the largest logit of each pixel, the first of equal ones. */
function largestOf(logits: Float32Array, pixels: number): Uint8Array {
  const classes = logits.length / pixels;
  return Uint8Array.from({ length: pixels }, (_, pixel) => {
    let most = 0;
    for (let label = 1; label < classes; label++) {
      if (logits[label * pixels + pixel]! > logits[most * pixels + pixel]!) most = label;
    }
    return most;
  });
}

/** The network's input as a picture: before it was normalized. */
function pictureOf(
  planes: Float32Array,
  transforms: readonly Transform[],
  { channels, width, height }: ReturnType<typeof imageOf>,
): Uint8Array {
  const pixels = width * height;
  const normalizations = transforms.filter((transform) => transform.kind === "normalize");
  const picture = new Uint8Array(3 * pixels);
  for (let index = 0; index < picture.length; index++) {
    const channel = Math.min(index % 3, channels - 1);
    let value = planes[channel * pixels + Math.floor(index / 3)]!;
    for (const { mean, std } of normalizations.toReversed())
      value = value * std[channel]! + mean[channel]!;
    picture[index] = Math.round(255 * Math.min(1, Math.max(0, value)));
  }
  return picture;
}

/** The picture with the color of each pixel's class over it; class 0 is left as it is. */
export function overlayOf({ picture, predicted }: Segmented): Uint8Array {
  return picture.map((value, index) => {
    const label = predicted.pixels[Math.floor(index / 3)]!;
    return label === 0 ? value : Math.round((value + colorOf(label)[index % 3]!) / 2);
  });
}
