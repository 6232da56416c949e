/** Evaluation over several views of each image (`ten_crop`): what the network says of them is averaged. */
import { imagesOf, type Transform } from "../../program/transforms.js";
import type { Images } from "../data/dataset.js";
import { InputError } from "../errors.js";
import { toProbabilities, type Scores } from "../evaluation/probabilities.js";
import type { Metrics, TrainableNetwork } from "./network.js";

/** What evaluation uses of a network. */
export type Evaluated = Pick<TrainableNetwork, "batch" | "program" | "evaluate" | "predict">;

/** What judges examples by several views of them. */
export interface OverViews extends Required<Evaluated> {
  /** Of what was predicted: an evaluation predicts in its turn. */
  metricsOf(rows: Float32Array, labels: Uint32Array): Metrics;
}

/**
 * The network as one of examples rather than of views: of an example's probabilities the mean over its views is taken, as the 2012 paper
 * does. The loss is then the cross entropy of the mean, and metrics are those of labels alone. The network itself where each example is
 * one image. Throws an InputError where the views of an example are more than a batch.
 */
export function overViews<Network extends Evaluated>(
  network: Network,
  transforms: readonly Transform[],
  scores: Scores = "logits",
): Network | OverViews {
  const views = imagesOf(transforms);
  if (views === 1) return network;
  const { batch, program } = network;
  if (batch < views || !network.predict) {
    throw new InputError(
      `ten_crop makes ${views} images of each, and the network takes batches of up to ${batch}: choose a batch of at least ${views}`,
    );
  }
  const predict = async (images: Images) =>
    averageViews(await network.predict!(images), { views, scores, classes: classesOf(program) });
  return {
    batch: Math.floor(batch / views),
    program,
    predict,
    metricsOf: (rows, labels) => scoreRows(rows, labels, { scores, program }),
    evaluate: async (images, labels) =>
      scoreRows(await predict(images), labels as Uint32Array, { scores, program }),
  };
}

const classesOf = ({ prediction }: TrainableNetwork["program"]) =>
  prediction!.shape.reduce((product, extent) => product * extent, 1);

/** Rows of scores, as many as examples; logits are the logarithms of the mean probabilities. */
function averageViews(
  values: Float32Array,
  { views, scores, classes }: { views: number; scores: Scores; classes: number },
): Float32Array {
  const result = new Float32Array(values.length / views);
  for (let row = 0; row < values.length / classes; row++) {
    const probabilities = toProbabilities(
      values.subarray(row * classes, (row + 1) * classes),
      scores,
    );
    const start = Math.floor(row / views) * classes;
    probabilities.forEach((value, index) => (result[start + index]! += value / views));
  }
  return scores === "logits" ? result.map((value) => Math.log(Math.max(value, LEAST))) : result;
}

/** The smallest positive normal f32: logarithms stay finite. */
const LEAST = 2 ** -126;

/** Mean cross entropy, and for each accuracy the share of examples whose label is among its k largest. */
function scoreRows(
  rows: Float32Array,
  labels: Uint32Array,
  { scores, program }: { scores: Scores; program: TrainableNetwork["program"] },
): Metrics {
  const classes = rows.length / labels.length;
  const accuracies = Object.entries(program.accuracies ?? {});
  const sums = new Map<string, number>([
    ["loss", 0],
    ...accuracies.map(([name]) => [name, 0] as const),
  ]);
  const add = (name: string, value: number) => sums.set(name, sums.get(name)! + value);
  labels.forEach((label, index) => {
    const row = rows.subarray(index * classes, (index + 1) * classes);
    const own = row[label]!;
    add("loss", -(scores === "logits" ? own : Math.log(Math.max(own, LEAST))));
    const above = row.reduce((count, value) => count + Number(value > own), 0);
    for (const [name, k] of accuracies) add(name, Number(above < k));
  });
  return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / labels.length]));
}
