/** What a network with one output predicts of pictures, a row of numbers for each. */
import { imageOf } from "../program/tensors.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { chooseStaging, loadBatches } from "../runtime/data/index.js";
import { numbersOf, rowOf } from "../runtime/evaluation/index.js";
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

/** What is predicted of a batch, in the order of the pictures. */
interface PredictedBatch {
  readonly count: number;
  /** The row of an output, by its name, of one of the pictures. */
  readonly rowsOf: (output: string | undefined, index: number) => Float32Array;
}

/**
 * The outputs of pictures that can be read, in their order, after the eval split's transforms.
 * Fails where none can be read, or a number is not finite.
 */
export async function* predictedBatches(
  network: Network,
  compiled: CompiledSpec,
  pictures: Predictable,
): AsyncGenerator<PredictedBatch, void, void> {
  let done = 0;
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
    const values: unknown = await judge.predict(images);
    const first = done;
    const rowsOf = (output: string | undefined, index: number) => {
      const row = rowOf(numbersOf(values, output ?? ""), count, index);
      if (!row.every(Number.isFinite))
        throw notFiniteOutput(pictures.readable()[first + index]!.name);
      return row;
    };
    yield { count, rowsOf };
    done += count;
    counter.update(done);
  }
  counter.stop();
  if (done === 0) throw nothingReadable(pictures);
}

/** The rows of the one output. */
export async function predictRows(
  network: Network,
  compiled: CompiledSpec,
  pictures: Predictable,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const { count, rowsOf } of predictedBatches(network, compiled, pictures)) {
    for (let index = 0; index < count; index++) rows.push(rowsOf(undefined, index).slice());
  }
  return rows;
}
