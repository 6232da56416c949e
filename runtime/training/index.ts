export { objectiveOf } from "./best.js";
export type { Best, Objective } from "./best.js";
export { loopback } from "./collective.js";
export type { Arrival, Collective } from "./collective.js";
export { PeerFailedError, Ranks, SilentRankError } from "./ranks.js";
export { DivergedError, RunFailedError } from "./error.js";
export type { Divergence } from "./error.js";
export { evaluateDataset } from "./evaluate.js";
export type { EvaluateOptions, Evaluation } from "./evaluate.js";
export { fit } from "./fit.js";
export { runLength } from "./length.js";
export type {
  EpochReport,
  FitOptions,
  FitResult,
  StatisticsReport,
  StepReport,
} from "./options.js";
export type { TrainableNetwork } from "./network.js";
export { measureStatistics } from "./statistics.js";
export type { MeasureOptions, StatisticsPass } from "./statistics.js";
export { epochRecord, isEvaluation, isStep, stepRecord } from "./records.js";
export type { EpochRecord, EvaluationRecord, MetricsRecord, StepRecord } from "./records.js";
export { learningRateFactor } from "./schedule.js";
export type { BatchSource, GivenBatch } from "./source.js";
export { INITIAL_STATE, parseState, serializeState } from "./state.js";
export type { TrainingState } from "./state.js";
export type { WireKind } from "./wire.js";
export type { LearningRateRecipe, RunLength } from "./schedule.js";
