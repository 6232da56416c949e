/**
 * A closer look at a classifier than its metrics: the confusion matrix, and the most confident
 * mistakes. Of a network with a class for each token, each token that counts is looked at.
 */
import { maskOf, tokensOf } from "../../program/masks.js";
import type { Program } from "../../program/program.js";
import { imageOf, tensorsOf, type Scores } from "../../program/tensors.js";
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
import { assertFed } from "../training/source.js";
import { overViews, type OverViews } from "../training/views.js";
import { CalibrationCounts, type Calibration } from "./calibration.js";
import { classResults, ConfusionCounts, type ClassResult } from "./confusion.js";
import type { ConfusionMatrix } from "./confusion.js";
import { DatasetView } from "./dataset-view.js";
import {
  firstOf,
  indexOfLargest,
  requireScores,
  rowOf,
  scoresOf,
  toProbabilities,
} from "./probabilities.js";

/** What an examination uses of a network. */
export type Classifier = Pick<TrainableNetwork, "batch" | "inspectCall" | "measure"> & {
  readonly program: TrainableNetwork["program"];
  /** Images to rows of scores, by name where there are several outputs. */
  predict(images: Images): Promise<Float32Array | Readonly<Record<string, Float32Array>>>;
};

/** An example, or a token of it, that was classified wrongly. */
export interface Mistake {
  /** Index into the dataset. */
  readonly example: number;
  /** Place in the example, from 0; absent where it has one class. */
  readonly token?: number | undefined;
  readonly actual: number;
  readonly predicted: number;
  /** How sure the network was. */
  readonly probability: number;
  /** The probability that it left to the right class. */
  readonly probabilityOfActual: number;
}

/** What a classifier says of one example, or of one of its tokens. */
export interface JudgedExample {
  /** Index into the dataset. */
  readonly example: number;
  /** Place in the example, from 0; undefined where it has one class. */
  readonly token: number | undefined;
  readonly actual: number;
  /** Undefined where a score is not finite: the example has no prediction. */
  readonly predicted: number | undefined;
  /** Of each class; undefined with `predicted`. Holds until the call returns. */
  readonly probabilities: Float32Array | undefined;
}

export interface Examination {
  /** Examples examined; those that could not be read are not among them. */
  readonly examples: number;
  /** Where each token has a class: what all counts below are of. */
  readonly tokens?: CountedTokens | undefined;
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

/** Tokens of all examples that were examined. */
export interface CountedTokens {
  /** Those that count. */
  readonly counted: number;
  /** Those with the label that the loss ignores: they are looked at nowhere. */
  readonly ignored: number;
}

export interface ExamineOptions extends EvaluateOptions {
  /** Mistakes to keep, 0 unless told. */
  readonly mistakes?: number;
  /** Examines about this many examples, evenly spread over the dataset, instead of all. */
  readonly examples?: number;
  /** Called with each example, or each token that counts, in the dataset's order. */
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
  assertFed(network.program, dataset);
  const names = classNames(network, dataset);
  const view = new DatasetView(dataset, options.examples ?? dataset.length);
  const { transforms = [] } = options;
  let done = 0;
  const { program } = network;
  const tally = new Tally(program, names, options);
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
    const end = Math.min((position + 1) * judged.batch, view.length);
    const examples = view.readable(position * judged.batch, end);
    tally.add(scores, labels, examples);
    done += count;
    await options.onProgress?.(done);
  }
  if (done === 0) throw noExamplesError(dataset);
  return { examples: done, ...tally.result() };
}

/** Most classes of tokens: the confusion matrix of a large vocabulary would fill the memory. */
export const MOST_CLASSES_OF_TOKENS = 1024;

/**
 * How many classes an examination tells apart: of examples, or of tokens, if these are not too
 * many. Undefined where there are none, or a class for each pixel, and of pairs of pictures, whose
 * classes are not those of the pictures.
 */
export function examinedClasses(
  program: Pick<Program, "tensors">,
  { tuples }: Pick<Dataset, "tuples"> = {},
): number | undefined {
  const count = tuples ? undefined : labelClasses(program);
  if (count === undefined || maskOf(program)) return undefined;
  return tokensOf(program) && count > MOST_CLASSES_OF_TOKENS ? undefined : count;
}

/** Classes of the one target, whatever the number of inputs. */
function labelClasses(program: Pick<Program, "tensors">): number | undefined {
  const targets = tensorsOf(program, "target");
  return targets.length === 1 ? targets[0]!.classes?.count : undefined;
}

/** Of logits or probabilities of each example or token. */
function judgedScores(program: Pick<Program, "tensors">): Scores {
  const scores = tokensOf(program) && scoresOf(program);
  return scores ?? requireScores(program);
}

/** Counts what is predicted of examples, or of their tokens. */
class Tally {
  private readonly kind: Scores;
  private readonly tokens: ReturnType<typeof tokensOf>;
  private readonly counts: ConfusionCounts;
  private readonly calibration = new CalibrationCounts();
  private readonly worst: WorstMistakes;
  private ignored = 0;
  private counted = 0;

  constructor(
    program: Pick<Program, "tensors">,
    private readonly names: readonly string[],
    private readonly options: Pick<ExamineOptions, "mistakes" | "onExample">,
  ) {
    this.kind = judgedScores(program);
    this.tokens = tokensOf(program);
    this.counts = new ConfusionCounts(names.length);
    this.worst = new WorstMistakes(options.mistakes ?? 0);
  }

  /** A row of scores for each label; `examples` are their indices into the dataset. */
  add(scores: Float32Array, labels: Uint32Array, examples: readonly number[]): void {
    const each = labels.length / examples.length;
    labels.forEach((actual, index) => {
      if (actual === this.tokens?.ignore) return this.ignored++;
      const row = rowOf(scores, labels.length, index);
      const token = this.tokens && index % each;
      this.addOne(row, { example: examples[Math.floor(index / each)]!, token, actual });
    });
  }

  private addOne(row: Float32Array, of: Pick<JudgedExample, "example" | "token" | "actual">): void {
    const { actual } = of;
    const probabilities = areFinite(row) ? toProbabilities(row, this.kind) : undefined;
    const predicted = probabilities && indexOfLargest(probabilities);
    this.counted++;
    this.counts.add(actual, predicted);
    this.options.onExample?.({ ...of, predicted, probabilities });
    if (probabilities === undefined || predicted === undefined) return;
    this.calibration.add(probabilities[predicted]!, actual === predicted);
    if (actual !== predicted) this.worst.add(mistakeOf(of, predicted, probabilities));
  }

  result(): Omit<Examination, "examples"> {
    const { matrix: confusion, unjudged } = this.counts;
    const notFinite = unjudged.reduce((sum, each) => sum + each, 0);
    const { counted, ignored } = this;
    return {
      tokens: this.tokens && { counted, ignored },
      classes: classResults(confusion, this.names, unjudged),
      confusion,
      mistakes: this.worst.list,
      calibration: this.calibration.result(),
      notFinite: notFinite > 0 ? notFinite : undefined,
    };
  }
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
  const length = Math.max(labelClasses(program) ?? 0, dataset.classes.length);
  return Array.from({ length }, (_, label) => dataset.classes[label] ?? `class ${label}`);
}

function mistakeOf(
  { example, token, actual }: Pick<JudgedExample, "example" | "token" | "actual">,
  predicted: number,
  probabilities: Float32Array,
): Mistake {
  const probability = probabilities[predicted]!;
  const probabilityOfActual = probabilities[actual]!;
  return { example, token, actual, predicted, probability, probabilityOfActual };
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
