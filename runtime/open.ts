/** Opens networks: a device, and the program that suits it. */
import type { Program } from "../program/program.js";
import { NETWORK_OPTIONS, type NetworkOptions } from "./calls.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import { Network } from "./network.js";
import { openProgram, type Platform } from "./open-program.js";

/** Opens a network on a device. See `openProgram` for the errors. */
export function openNetwork<
  Metric extends string,
  Name extends string,
  Target extends Targets = Labels,
  Input extends Inputs = Images,
  Output = Float32Array,
  Class extends string = string,
>(
  programs: readonly Program[],
  options: NetworkOptions,
  platform: Platform,
): Promise<Network<Metric, Name, Target, Input, Output, Class>> {
  const known = NETWORK_OPTIONS;
  return openProgram(programs, { options, known }, platform, (program, device, copies, again) =>
    Network.create<Metric, Name, Target, Input, Output, Class>(
      program,
      device,
      { ...options, copies },
      again,
    ),
  );
}
