/**
 * A closer look at a classifier than its metrics: the confusion matrix, and the most confident
 * mistakes.
 */
import { classesOf, imageOf } from "../../program/tensors.js";
import { imagesOf } from "../../program/transforms.js";
import type { Dataset, Images } from "../data/dataset.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { areFinite } from "../are-finite.js";
import {
  EvaluationSums,
  noExamplesError,
  type EvaluateOptions,
  type Evaluation,
} from "../training/evaluate.js";
import type { TrainableNetwork } from "../training/network.js";
import { assertOneTensor } from "../training/source.js";
import { overViews, type OverViews } from "../training/views.js";
import { CalibrationCounts, type Calibration } from "./calibration.js";
import { classResults, ConfusionCounts, type ClassResult } from "./confusion.js";
import type { ConfusionMatrix } from "./confusion.js";
import { DatasetView } from "./dataset-view.js";
import { firstOf, indexOfLargest, requireScores, rowOf, toProbabilities } from "./probabilities.js";

/** What an examination uses of a network. */
export type Classifier = Pick<TrainableNetwork, "batch" | "inspectCall" | "measure"> & {
  readonly program: TrainableNetwork["program"];
  /** Images to rows of scores, by name where there are several outputs. */
  predict(images: Images): Promise<Float32Array | Readonly<Record<string, Float32Array>>>;
};

/** An example that was classified wrongly. */
export interface Mistake {
  /** Index into the dataset. */
  readonly example: number;
  readonly actual: number;
  readonly predicted: number;
  /** How sure the network was. */
  readonly probability: number;
  /** The probability that it left to the right class. */
  readonly probabilityOfActual: number;
}

/** What a classifier says of one example. */
export interface JudgedExample {
  /** Index into the dataset. */
  readonly example: number;
  readonly actual: number;
  /** Undefined where a score is not finite: the example has no prediction. */
  readonly predicted: number | undefined;
  /** Of each class; undefined with `predicted`. Holds until the call returns. */
  readonly probabilities: Float32Array | undefined;
}

export interface Examination {
  /** Examples examined; those that could not be read are not among them. */
  readonly examples: number;
  readonly classes: readonly ClassResult[];
  readonly confusion: ConfusionMatrix;
  /** The surest first. */
  readonly mistakes: readonly Mistake[];
  /** Of the probabilities; undefined if no example has finite scores. */
  readonly calibration?: Calibration;
  /**
   * Examples whose scores are not finite: they have no prediction. Absent without any.
   */
  readonly notFinite?: number;
}

export interface ExamineOptions extends EvaluateOptions {
  /** Mistakes to keep, 0 unless told. */
  readonly mistakes?: number;
  /** Examines about this many examples, evenly spread over the dataset, instead of all. */
  readonly examples?: number;
  /** Called with each example, in the dataset's order. */
  readonly onExample?: (judged: JudgedExample) => void;
}

/**
 * What a classifier predicts of a dataset, without its loss and metrics, which would take as long
 * again. Undefined where the signal stopped it. Throws a DataError where there are no examples.
 */
export async function examineDataset(
  network: Classifier,
  dataset: Dataset,
  options: ExamineOptions = {},
): Promise<Examination | undefined> {
  return examine(dataset, options, network);
}

/**
 * The same with loss and metrics. Throws a NotFiniteEvaluationError where the loss is not finite.
 */
export async function evaluateClassifier(
  network: Classifier,
  dataset: Dataset,
  options: ExamineOptions = {},
): Promise<(Examination & Evaluation) | undefined> {
  const sums = new EvaluationSums(network, imagesOf(options.transforms ?? []));
  const examination = await examine(dataset, options, network, sums);
  return examination && { ...examination, ...(await sums.finish()) };
}

/** Metrics are measured where there is something to put them into. */
async function examine(
  dataset: Dataset,
  options: ExamineOptions,
  network: Classifier,
  sums?: EvaluationSums,
): Promise<Examination | undefined> {
  assertOneTensor(network.program);
  const names = classNames(network, dataset);
  const view = new DatasetView(dataset, options.examples ?? dataset.length);
  const counts = new ConfusionCounts(names.length);
  const calibration = new CalibrationCounts();
  const worst = new WorstMistakes(options.mistakes ?? 0);
  const { transforms = [] } = options;
  let done = 0;
  const { program } = network;
  const kind = requireScores(program);
  const judged = overViews(network, transforms);
  for await (const { images, labels, position, count } of loadBatches(view, {
    batch: judged.batch,
    shape: imageOf(program),
    transforms,
    staging: chooseStaging(program, "eval", { dataset: view, transforms }),
    seed: 0,
    epoch: 0,
    shuffle: false,
  })) {
    if (options.signal?.aborted) return undefined;
    const judging = judge(judged, images, labels);
    const [scores, measurement] = await Promise.all([judging.scores, sums && judging.measure()]);
    if (measurement) sums!.add(measurement, { images, targets: labels, count });
    const examples = view.readable(position * judged.batch, (position + 1) * judged.batch);
    labels.forEach((actual, index) => {
      const row = rowOf(scores, count, index);
      const example = examples[index]!;
      const probabilities = areFinite(row) ? toProbabilities(row, kind) : undefined;
      const predicted = probabilities && indexOfLargest(probabilities);
      counts.add(actual, predicted);
      options.onExample?.({ example, actual, predicted, probabilities });
      if (probabilities === undefined || predicted === undefined) return;
      calibration.add(probabilities[predicted]!, actual === predicted);
      if (actual !== predicted) worst.add(mistakeOf(example, actual, predicted, probabilities));
    });
    done += count;
    await options.onProgress?.(done);
  }
  if (done === 0) throw noExamplesError(dataset);
  const { matrix: confusion, unjudged } = counts;
  const classes = classResults(confusion, names, unjudged);
  const notFinite = unjudged.reduce((sum, each) => sum + each, 0);
  const { list: mistakes } = worst;
  return {
    examples: done,
    classes,
    confusion,
    mistakes,
    calibration: calibration.result(),
    notFinite: notFinite > 0 ? notFinite : undefined,
  };
}

/**
 * Several views are predicted once; of one view, the network measures its metrics on the device.
 */
function judge(judged: Classifier | OverViews, images: Images, labels: Uint32Array) {
  const scores = judged.predict(images).then((all) => firstOf(judged.program, all));
  const measure = async () =>
    "measureRows" in judged
      ? judged.measureRows(await scores, labels)
      : judged.measure(images, labels);
  return { scores, measure };
}

/** The network may tell more classes apart than the dataset has names for. */
export function classNames(
  { program }: Pick<Classifier, "program">,
  dataset: Pick<Dataset, "classes">,
): string[] {
  const length = Math.max(classesOf(program) ?? 0, dataset.classes.length);
  return Array.from({ length }, (_, label) => dataset.classes[label] ?? `class ${label}`);
}

function mistakeOf(
  example: number,
  actual: number,
  predicted: number,
  probabilities: Float32Array,
): Mistake {
  const probability = probabilities[predicted]!;
  return { example, actual, predicted, probability, probabilityOfActual: probabilities[actual]! };
}

/** Keeps the mistakes that the network was surest of. */
class WorstMistakes {
  list: Mistake[] = [];

  constructor(private readonly size: number) {}

  add(mistake: Mistake): void {
    const least = this.list.at(-1)?.probability ?? -1;
    if (this.list.length >= this.size && mistake.probability <= least) return;
    this.list = [...this.list, mistake]
      .sort((a, b) => b.probability - a.probability)
      .slice(0, this.size);
  }
}
