/** Loss and metrics over a whole split. */
import { boxesOf } from "../../program/boxes.js";
import { embeddingOf, imageOf } from "../../program/tensors.js";
import type { Transform } from "../../program/recipe.js";
import { imagesOf } from "../../program/transforms.js";
import { RECALL_METRIC, TUPLE_INPUTS } from "../../program/tuples.js";
import type { Batch, Dataset, Images } from "../data/dataset.js";
import type { MeanPrecision } from "../detection/average-precision.js";
import { DataError } from "../data/error.js";
import { firstOf } from "../evaluation/probabilities.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { assertKnown, type OptionNames } from "../options.js";
import {
  assertFed,
  assertSource,
  isDataset,
  passOver,
  type BatchSource,
  type TrainingBatch,
} from "./source.js";
import type { Measurement } from "../measurement.js";
import { describeCulprit, NotFiniteEvaluationError } from "./error.js";
import type { Exchange } from "./exchange.js";
import { MetricsMean } from "./mean.js";
import { assertMeasures, type Metrics } from "./network.js";
import { findNonFinite, type Culprit } from "./non-finite.js";
import { untilAborted } from "./until-aborted.js";
import { overViews, type Evaluated } from "./views.js";

/** Options of `evaluateDataset`. */
export interface EvaluateOptions {
  readonly transforms?: readonly Transform[];
  readonly signal?: AbortSignal | undefined;
  /**
   * The ranks that divide the examples among them. Batches that come ready made are all of each
   * rank's.
   */
  readonly exchange?: Exchange | undefined;
  /** Called after each batch with the number of examples done, and awaited. */
  readonly onProgress?: (examples: number) => unknown;
}

const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = {
  transforms: true,
  signal: true,
  exchange: true,
  onProgress: true,
};

/** The result of `evaluateDataset`: means over all examples of the split. */
export interface Evaluation {
  /** Examples evaluated; those that could not be read are not among them. */
  readonly examples: number;
  /** `loss`, `top1`, ...: means over the examples, or over what their classes weigh. */
  readonly metrics: Metrics;
  /**
   * Examples of which a value is not finite, and which count as wrong; absent where there are none.
   */
  readonly notFinite?: number;
  /**
   * Of masks with the metric `miou`: intersection over union of each class, null of one that is
   * neither a label nor predicted.
   */
  readonly overlaps?: readonly (number | null)[];
  /**
   * Of boxes: average precision of each class, null of one without a box. Their means are the
   * metrics `map50`, at an overlap of 0.5, and `map`, COCO's mean over 0.5 to 0.95, which data
   * without a box does not have. Not measured where several ranks divide the examples.
   */
  readonly precisions?: MeanPrecision["classes"];
  /** With `precisions`: examples without a box, in which every detection is wrong. */
  readonly withoutBoxes?: number;
}

/**
 * Evaluates every example of a dataset, or a pass over batches that come ready made. Undefined
 * where the signal stopped it. Throws a DataError where there are none, and a
 * NotFiniteEvaluationError where the loss is not finite.
 */
export async function evaluateDataset(
  network: Evaluated,
  dataset: Dataset | BatchSource,
  options: EvaluateOptions = {},
): Promise<Evaluation | undefined> {
  assertMeasures(network, "evaluateDataset");
  assertSource(dataset, "what is evaluated");
  assertKnown(options, EVALUATE_OPTIONS, "evaluateDataset");
  if (isDataset(dataset)) assertFed(network.program, dataset);
  // Batches that come ready made have been through theirs.
  const { exchange, signal } = options;
  const transforms = isDataset(dataset) ? (options.transforms ?? []) : [];
  const evaluated = overViews(network, transforms);
  const sums = new EvaluationSums(network, imagesOf(transforms));
  const batches: AsyncGenerator<TrainingBatch, void, void> = isDataset(dataset)
    ? loadBatches(dataset, {
        batch: evaluated.batch * (exchange?.part.size ?? 1),
        shape: imageOf(network.program),
        transforms,
        staging: chooseStaging(network.program, "eval", { dataset, transforms }),
        seed: 0,
        epoch: 0,
        shuffle: false,
        part: exchange?.part,
      })
    : passOver(dataset, { epoch: 0, start: 0, most: Infinity, program: network.program });
  const boxes = await measureOfBoxes(network, exchange);
  const recall = await measureOfRecall(network, dataset, exchange);
  // Ranks stop where they meet.
  for await (const batch of untilAborted(batches, exchange ? undefined : signal)) {
    const own =
      batch.count > 0 ? await evaluated.measure(batch.images, batch.targets) : NOTHING_MEASURED;
    if (boxes && evaluated.predict && batch.count > 0) {
      const output = await evaluated.predict(batch.images as Images);
      boxes.add(firstOf(network.program, output), batch.targets as unknown as Float32Array);
    }
    if (recall && batch.count > 0) {
      recall.add(await embed(network, batch.images), (batch as Batch).labels);
    }
    const all = exchange && isDataset(dataset) ? await exchange.measurements(own, dataset) : [own];
    const ownIndex = all.length > 1 ? exchange!.rank : 0;
    all.forEach((each, rank) => sums.add(each, rank === ownIndex ? batch : undefined));
    if (exchange?.isStopping) return undefined;
    await options.onProgress?.(sums.examples);
  }
  if (!exchange && signal?.aborted) return undefined;
  if (sums.examples === 0)
    throw noExamplesError(isDataset(dataset) ? dataset : { name: "the dataset" });
  const evaluation = await sums.finish();
  if (recall) {
    const metrics = { ...evaluation.metrics, [RECALL_METRIC]: recall.result() };
    // A formula may turn the embedding's NaN into a finite loss.
    const notFinite = Math.max(evaluation.notFinite ?? 0, recall.notFinite);
    return { ...evaluation, metrics, notFinite: notFinite > 0 ? notFinite : undefined };
  }
  if (!boxes) return evaluation;
  const { classes, map50, map } = boxes.result();
  const measured: Metrics = Number.isNaN(map) ? {} : { map50, map };
  const metrics = { ...evaluation.metrics, ...measured };
  return { ...evaluation, metrics, precisions: classes, withoutBoxes: boxes.empty };
}

/** The precision needs all predictions of a class in one place. */
async function measureOfBoxes({ program }: Evaluated, exchange: Exchange | undefined) {
  if (exchange || !boxesOf(program)) return undefined;
  const { BoxMeasure } = await import("../detection/measure.js");
  return new BoxMeasure(program);
}

/** Of a dataset with tuples, where the network embeds the first picture of each. */
async function measureOfRecall(
  network: Evaluated,
  dataset: Dataset | BatchSource,
  exchange: Exchange | undefined,
) {
  const { program, predict } = network;
  if (exchange || !isDataset(dataset) || !dataset.tuples || !predict) return undefined;
  if (embeddingOf(program)?.input !== TUPLE_INPUTS[dataset.tuples][0]) return undefined;
  const { RecallMeasure } = await import("../retrieval/recall.js");
  return new RecallMeasure();
}

/** A row for each example. */
async function embed(network: Evaluated, images: TrainingBatch["images"]): Promise<Float32Array> {
  const { input } = embeddingOf(network.program)!;
  const named = images as Readonly<Record<string, Float32Array>>;
  const output = await network.predict!("staged" in named ? images : { [input]: named[input]! });
  return output as Float32Array;
}

/** Of a rank that has no part of a batch. */
const NOTHING_MEASURED: Measurement = { examples: 0, notFinite: 0, sums: [] };

type EvaluatedBatch = Pick<TrainingBatch, "images" | "targets" | "count">;

/** What the batches of an evaluation come to. */
export class EvaluationSums {
  private readonly mean = MetricsMean.from();
  /** The first batch with numbers that are not finite. */
  private spoilt?: EvaluatedBatch;

  constructor(
    private readonly network: Evaluated,
    /** Images of an example. */
    private readonly views: number,
  ) {}

  get examples(): number {
    return this.mean.examples;
  }

  /** `batch` is what was measured, where this process has it. */
  add(measurement: Measurement, batch: EvaluatedBatch | undefined): void {
    this.mean.add(measurement);
    if (measurement.notFinite > 0) this.spoilt ??= batch;
  }

  /** Throws a NotFiniteEvaluationError where the loss is not finite. */
  async finish(): Promise<Evaluation> {
    const { examples, notFinite, state } = this.mean;
    const metrics = this.mean.values();
    if (state.sums[0]?.weight === 0) throw nothingCountsError(examples);
    const { loss } = metrics;
    if (loss !== undefined && !Number.isFinite(loss)) throw await this.explain(loss);
    const overlaps = overlapsOf(state);
    return { examples, metrics, notFinite: notFinite > 0 ? notFinite : undefined, overlaps };
  }

  private async explain(loss: number): Promise<NotFiniteEvaluationError> {
    const { examples, notFinite } = this.mean;
    const culprit = await this.findCulprit();
    const where = culprit ? `; ${describeCulprit(culprit)}` : "";
    return new NotFiniteEvaluationError(
      `the loss of the evaluation is ${loss}: ` +
        `${notFinite} of ${examples} examples give numbers that are not finite${where}`,
      culprit,
    );
  }

  /** Several views of an example have no separate labels: they are only predicted. */
  private async findCulprit(): Promise<Culprit | undefined> {
    const { network, spoilt, views } = this;
    if (!spoilt) return undefined;
    if (views === 1) return findNonFinite(network, spoilt, { call: "evaluate" });
    return findNonFinite(network, { images: spoilt.images }, { call: "predict" });
  }
}

function overlapsOf({ sums }: Measurement): Evaluation["overlaps"] {
  const byClass = sums.filter(({ over }) => over !== undefined);
  const first = byClass.filter(({ metric }) => metric === byClass[0]!.metric);
  if (first.length === 0) return undefined;
  return first.map(({ sum, weight }) => (weight > 0 ? sum / weight : null));
}

function nothingCountsError(examples: number): DataError {
  return new DataError(
    `no label of ${examples} examples counts: all of their pixels, or tokens, have the one that ` +
      "the loss ignores",
    "look at the labels, or at `ignore` in the spec",
  );
}

export function noExamplesError({ name }: Pick<Dataset, "name">): DataError {
  return new DataError(`${name} holds no examples to evaluate`);
}
