/** What a network with one output predicts of pictures, a row of numbers for each. */
import { imageOf } from "../program/tensors.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { chooseStaging, loadBatches } from "../runtime/data/index.js";
import { rowOf } from "../runtime/evaluation/index.js";
import type { Network } from "../runtime/network.js";
import { overViews } from "../runtime/training/views.js";
import type { CompiledSpec } from "./compiled.js";
import { nothingReadable, notFiniteOutput } from "./pictures.js";
import { createCounter } from "./progress.js";

/** Pictures, or rows of a table, that a command is to look at. */
export interface Predictable extends Dataset {
  /** Those that could be read, once all have been. */
  readable(): readonly { readonly name: string }[];
}

/**
 * The output of each picture that can be read, in their order, after the eval split's transforms.
 * Fails where none can be read, or a number is not finite.
 */
export async function predictRows(
  network: Network,
  compiled: CompiledSpec,
  pictures: Predictable,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  const { program } = network;
  const transforms = compiled.recipe?.data?.eval?.transforms ?? [];
  const judge = overViews(network, transforms);
  const counter = createCounter(pictures.length, "predicted");
  for await (const { images, count } of loadBatches(pictures, {
    batch: judge.batch,
    shape: imageOf(program),
    transforms,
    staging: chooseStaging(program, "eval", { dataset: pictures, transforms }),
    seed: 0,
    epoch: 0,
    shuffle: false,
  })) {
    const values = await judge.predict(images);
    for (let index = 0; index < count; index++) {
      const row = rowOf(values, count, index);
      if (!row.every(Number.isFinite))
        throw notFiniteOutput(pictures.readable()[rows.length]!.name);
      rows.push(row.slice());
    }
    counter.update(rows.length);
  }
  counter.stop();
  if (rows.length > 0) return rows;
  throw nothingReadable(pictures);
}
