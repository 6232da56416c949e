/** The runtime of modules that only predict, in Node. */
import type { Program } from "../program/program.js";
import type { Images } from "./data/dataset.js";
import type { Inputs } from "./examples.js";
import { findAdapter } from "./node/adapters.js";
import { capture } from "./node/pictures.js";
import { openProgram } from "./open-program.js";
import { Predictor, PREDICTOR_OPTIONS, type PredictorOptions } from "./predictor.js";

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
export type { Program } from "../program/program.js";

/** Puts a module's program on a GPU. See `openProgram` for the errors. */
export function createNetwork<
  Name extends string = string,
  Input extends Inputs = Images,
  Output = Float32Array,
  Class extends string = string,
>(
  programs: readonly Program[],
  options: PredictorOptions = {},
): Promise<Predictor<Name, Input, Output, Class>> {
  const known = PREDICTOR_OPTIONS;
  const platform = { findAdapter, capture };
  return openProgram(programs, { options, known }, platform, (program, device, copies) =>
    Promise.resolve(
      new Predictor<Name, Input, Output, Class>(program, device, { ...options, copies }),
    ),
  );
}
