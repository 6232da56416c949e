/** The lines of metrics.jsonl. */
import type { EpochReport, StepReport } from "./options.js";
import type { Metrics } from "./network.js";
import { parseNumbers } from "./parse-numbers.js";

export interface StepRecord {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Of a recipe with steps: the loss of each by its name, which `loss` is the sum of. */
  readonly losses?: Metrics | undefined;
  readonly lr: number;
  readonly examplesPerSecond: number;
  /** Share of the time that the step waited for its batch, 0 to 1. */
  readonly dataWait?: number;
}

/** Of an epoch, or of the part of one with which a run ended. */
export interface EpochRecord {
  readonly step: number;
  readonly epoch: number;
  /** Means over the epoch's steps; absent in logs of earlier versions. */
  readonly train?: Metrics;
  /** That its training and its evaluation took; absent where they were not measured. */
  readonly seconds?: number;
  /** Present where the epoch has more steps: the record is of an evaluation within it. */
  readonly continues?: true;
  /** Absent where the run has nothing to evaluate on. */
  readonly eval?: Metrics;
  /**
   * The recall of each class by its name, over at most 2,000 examples; absent where the model tells
   * no classes apart, or more than 30.
   */
  readonly recall?: Readonly<Record<string, number>> | undefined;
  /** Examples of the evaluation of which a value is not finite; absent where there are none. */
  readonly notFinite?: number;
}

export type EvaluationRecord = EpochRecord & { readonly eval: Metrics };

export type MetricsRecord = StepRecord | EpochRecord;

/** `names` are those of the recipe's steps. */
export function stepRecord(report: StepReport, names: readonly string[] = []): StepRecord {
  const losses = names.map((name) => [name, report.metrics[name]!] as const);
  return {
    step: report.step,
    epoch: report.epoch,
    loss: report.metrics["loss"]!,
    losses: losses.length > 0 ? Object.fromEntries(losses) : undefined,
    lr: report.learningRate,
    examplesPerSecond: Math.round(report.examplesPerSecond * 10) / 10,
    dataWait: report.dataWait !== undefined ? Math.round(report.dataWait * 1000) / 1000 : undefined,
  };
}

export function epochRecord(report: EpochReport): EpochRecord {
  const { step, epoch, training: train, evaluation, seconds, continues } = report;
  return {
    step,
    epoch,
    eval: evaluation?.metrics,
    notFinite: evaluation?.notFinite || undefined,
    train,
    seconds: Math.round(seconds * 1000) / 1000,
    continues,
  };
}

export function isStep(record: MetricsRecord): record is StepRecord {
  return "loss" in record;
}

export function isEvaluation(record: MetricsRecord): record is EvaluationRecord {
  return !isStep(record) && record.eval !== undefined;
}

/** The record of a line; undefined for any other text. Metrics that are not finite are NaN. */
export function parseRecord(line: string): MetricsRecord | undefined {
  try {
    const record = parseNumbers(line) as Partial<MetricsRecord>;
    const isRecord = [record.step, record.epoch].every((count) => Number.isSafeInteger(count));
    return isRecord ? (record as MetricsRecord) : undefined;
  } catch {
    return undefined;
  }
}
