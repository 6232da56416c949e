/** The lines of metrics.jsonl. */
import type { EpochReport, StepReport } from "./fit.js";
import type { Metrics } from "./network.js";

export interface StepRecord {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly examplesPerSecond: number;
}

export interface EvaluationRecord {
  readonly step: number;
  readonly epoch: number;
  readonly eval: Metrics;
}

export type MetricsRecord = StepRecord | EvaluationRecord;

export function stepRecord(report: StepReport): StepRecord {
  return {
    step: report.step,
    epoch: report.epoch,
    loss: report.metrics["loss"]!,
    lr: report.learningRate,
    examplesPerSecond: Math.round(report.examplesPerSecond * 10) / 10,
  };
}

/** Undefined where the epoch was not evaluated. */
export function evaluationRecord(report: EpochReport): EvaluationRecord | undefined {
  if (report.evaluation === undefined) return undefined;
  return { step: report.step, epoch: report.epoch, eval: report.evaluation.metrics };
}

export function isEvaluation(record: MetricsRecord): record is EvaluationRecord {
  return "eval" in record;
}
