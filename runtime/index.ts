/** The runtime for Node: adapters come from Dawn, or from `device` in the options. */
import type { Program } from "../program/program.js";
import type { NetworkOptions } from "./calls.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import type { Network } from "./network.js";
import { openNetwork } from "./open.js";
import { findAdapter } from "./node/adapters.js";
import { capture } from "./node/pictures.js";

export * from "./core.js";
export * from "./node/data/index.js";
export * from "./node/training.js";
export { findAdapter } from "./node/adapters.js";
export type { Attempt, NodeAdapter } from "./node/adapters.js";
export { joinRanks, launchOf } from "./node/mpi/index.js";
export type { Launch, MpiCollective, MpiOptions } from "./node/mpi/index.js";
export { doctor } from "./node/doctor.js";
export type { DoctorAdapter, DoctorReport } from "./node/doctor.js";

/** Puts a module's program on a GPU. See `openNetwork` for the errors. */
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
