/** Networks in browsers: what a generated module needs of the runtime. */
import type { Program } from "../program/program.js";
import type { NetworkOptions } from "./calls.js";
import { findAdapter } from "./browser-adapter.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import type { Network } from "./network.js";
import { openNetwork } from "./open.js";
import { capture } from "./pictures/capture.js";

export { findAdapter };

/** Puts a module's program on the browser's GPU. See `openNetwork` for the errors. */
export function createNetwork<
  Metric extends string = string,
  Name extends string = string,
  Target extends Targets = Labels,
  Input extends Inputs = Images,
  Output = Float32Array,
  Class extends string = string,
>(
  programs: readonly Program[],
  options: NetworkOptions = {},
): Promise<Network<Metric, Name, Target, Input, Output, Class>> {
  return openNetwork(programs, options, { findAdapter, capture });
}
