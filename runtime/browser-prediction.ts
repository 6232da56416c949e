/** Networks that only predict, in browsers: what a module of `--predict-only` needs. */
import type { Program } from "../program/program.js";
import { findAdapter } from "./browser-adapter.js";
import type { Images } from "./data/dataset.js";
import type { Inputs } from "./examples.js";
import { openProgram } from "./open-program.js";
import { capture } from "./pictures/capture.js";
import { Predictor, PREDICTOR_OPTIONS, type PredictorOptions } from "./predictor.js";

/** Puts a module's program on the browser's GPU. See `openProgram` for the errors. */
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
