/// <reference types="@webgpu/types" preserve="true" />
/** What the runtime offers in Node and in browsers alike. */
export * from "./errors.js";
export { fromErrorMessage, toErrorMessage } from "./error-messages.js";
export type { ErrorMessage } from "./error-messages.js";
export * from "./data/index.js";
export {
  DivergedError,
  evaluateDataset,
  fit,
  learningRateFactor,
  loopback,
  measureStatistics,
  PeerFailedError,
  runLength,
  RunFailedError,
} from "./training/index.js";
export type {
  Arrival,
  BatchSource,
  Collective,
  Divergence,
  EpochReport,
  EvaluateOptions,
  Evaluation,
  FitOptions,
  FitResult,
  GivenBatch,
  MeasureOptions,
  StatisticsPass,
  StatisticsReport,
  StepReport,
  TrainableNetwork,
  TrainingState,
} from "./training/index.js";
export { Device, targetFor } from "./device.js";
export type { AdapterSummary, FoundAdapter } from "./device.js";
export type { ClassLabels, Inputs, Labels, MixedLabels, Targets } from "./examples.js";
export type { MemoryUse } from "./memory.js";
export type {
  CallExamples,
  ClassifyOptions,
  DownloadOptions,
  DownloadProgress,
  InspectionExamples,
  LoadOptions,
  Metrics,
  NetworkOptions,
  ParameterInfo,
  ReadOptions,
  SaveOptions,
  StepOptions,
  WeightsSource,
} from "./calls.js";
export type { Network } from "./network.js";
export type {
  Activation,
  Attribution,
  AttributionOptions,
  ImportInside,
  Inspectable,
} from "./inside/inspectable.js";
export type { Scale } from "./data/dataset.js";
export type { Scales, Standardizing } from "./standardizing.js";
export { detect } from "./detection/detect.js";
export type { DetectOptions, Detection } from "./detection/detect.js";
export type { Box } from "./detection/boxes.js";
export type { Classification } from "./pictures/classify.js";
export type { Picture, Pictures } from "./pictures/picture.js";
export { profileSteps, timeSteps } from "./profile.js";
export type { Profile, ProfiledStep, ProfileOptions, TimedStep } from "./profile.js";
export type { CompileProgress } from "./pipelines.js";
export { inspecting } from "./inspection.js";
export type { FloatPlace, InspectableRun, Inspection, InspectionParts } from "./inspection.js";
export type { Call, ListRun } from "./slices.js";
export { parseTensors, serializeTensors } from "./safetensors.js";
export type { Tensor, TensorFile } from "./safetensors.js";
export type { Program } from "../program/program.js";
export type { TrainRecipe } from "../program/recipe.js";
