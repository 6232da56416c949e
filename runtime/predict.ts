/// <reference types="@webgpu/types" preserve="true" />
/** The runtime of modules that only predict, in browsers. */
export * from "./errors.js";
export type {
  ClassifyOptions,
  DownloadOptions,
  DownloadProgress,
  Metadata,
  ParameterInfo,
  WeightsSource,
} from "./calls.js";
export type { Images } from "./data/dataset.js";
export type { Classification } from "./pictures/classify.js";
export type { Picture, Pictures } from "./pictures/picture.js";
export type { Predictor, PredictorOptions } from "./predictor.js";
export type { Scales, Standardizing } from "./standardizing.js";
export type { Program } from "../program/program.js";
// By star: bundlers then see that a page which imports one name loads no other code.
export * from "./browser-prediction.js";
