/**
 * Evaluation over several views of each image (`ten_crop`): what the network says of them is
 * averaged.
 */
import { imagesOf, type Transform } from "../../program/transforms.js";
import type { Images } from "../data/dataset.js";
import type { Scores } from "../../program/tensors.js";
import { InputError } from "../errors.js";
import { areFinite } from "../are-finite.js";
import { averageViews, LEAST } from "../evaluation/average-views.js";
import { firstOf, requireScores } from "../evaluation/probabilities.js";
import { totalOf, type Measurement } from "../measurement.js";
import type { TrainableNetwork } from "./network.js";

/** What evaluation uses of a network. */
export type Evaluated = Pick<
  TrainableNetwork,
  "batch" | "inspectCall" | "measure" | "predict" | "program"
>;

/** What judges examples by several views of them. */
export interface OverViews extends Pick<Evaluated, "batch" | "measure" | "program"> {
  predict(images: Images): Promise<Float32Array | Readonly<Record<string, Float32Array>>>;
  /** Of what was predicted: an evaluation predicts in its turn. */
  measureRows(rows: Float32Array, labels: Uint32Array): Measurement;
}

/**
 * The network as one of examples rather than of views: of an example's probabilities the mean over
 * its views is taken, as the 2012 paper does. The loss is then the cross entropy of the mean, by
 * the loss's class weights, of the first output alone, and metrics are those of labels alone. The
 * network itself where each
 * example is one image. Throws an InputError where the views of an example are more than a batch,
 * and where the output holds no scores of classes.
 */
export function overViews<Network extends Evaluated>(
  network: Network,
  transforms: readonly Transform[],
): Network | OverViews {
  const views = imagesOf(transforms);
  if (views === 1) return network;
  const { batch, program } = network;
  if (batch < views || !network.predict) {
    throw new InputError(
      `ten_crop makes ${views} images of each, and the network takes batches ` +
        `of up to ${batch}: choose a batch of at least ${views}`,
    );
  }
  const scores = requireScores(program);
  const predict = async (images: Images) =>
    averageViews(await network.predict!(images), views, program);
  return {
    batch: Math.floor(batch / views),
    program,
    predict,
    measureRows: (rows, labels) => measureRows(rows, labels, { scores, program }),
    measure: async (images, labels) =>
      measureRows(firstOf(program, await predict(images as Images)), labels as Uint32Array, {
        scores,
        program,
      }),
  };
}

interface Judging {
  readonly scores: Scores;
  readonly program: TrainableNetwork["program"];
}

/**
 * Cross entropy, and for each accuracy how many examples have their label among the k largest. A
 * row that is not finite is wrong.
 */
function measureRows(rows: Float32Array, labels: Uint32Array, judging: Judging): Measurement {
  const { scores, program } = judging;
  const classes = rows.length / labels.length;
  const weights = lossWeights(program);
  const accuracies = Object.entries(program.accuracies ?? {});
  const hits = accuracies.map(() => 0);
  let [loss, notFinite] = [0, 0];
  labels.forEach((label, index) => {
    const row = rows.subarray(index * classes, (index + 1) * classes);
    const own = row[label]!;
    loss -= (weights?.[label] ?? 1) * (scores === "logits" ? own : Math.log(Math.max(own, LEAST)));
    if (!areFinite(row)) return notFinite++;
    const rank = rankOf(row, label);
    accuracies.forEach(([, k], place) => (hits[place]! += Number(rank < k)));
  });
  const examples = labels.length;
  const weight = weights ? totalOf(weights, labels) : examples;
  return {
    examples,
    notFinite,
    sums: [
      { metric: "loss", factor: 1, sum: loss, weight },
      ...accuracies.map(([metric], place) => {
        return { metric, factor: 1, sum: hits[place]!, weight: examples };
      }),
    ],
  };
}

/** How many classes come before one: those of larger scores, and of equal ones those before it. */
function rankOf(row: Float32Array, label: number): number {
  const own = row[label]!;
  return row.reduce((count, value, index) => {
    return count + Number(value > own || (value === own && index < label));
  }, 0);
}

/** The class weights of a loss that is one mean. */
function lossWeights({ sums, classTotals }: Judging["program"]): readonly number[] | undefined {
  const parts = sums?.evaluate.filter(({ metric }) => metric === "loss") ?? [];
  const [{ total } = {}] = parts;
  return parts.length === 1 && total !== undefined ? classTotals?.[total]?.weights : undefined;
}
