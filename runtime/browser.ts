/** The runtime for browsers: the same names as in Node, and nothing but `navigator.gpu`. */
import type { Program } from "../program/program.js";
import type { NetworkOptions } from "./calls.js";
import { adapterName, type FoundAdapter } from "./device.js";
import { NoAdapterError } from "./errors.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import type { Network } from "./network.js";
import { openNetwork } from "./open.js";

export * from "./core.js";

/** Puts a module's program on the browser's GPU. See `openNetwork` for the errors. */
export function createNetwork<
  Metric extends string = string,
  Name extends string = string,
  Target extends Targets = Labels,
  Input extends Inputs = Images,
  Output = Float32Array,
>(
  programs: readonly Program[],
  options: NetworkOptions = {},
): Promise<Network<Metric, Name, Target, Input, Output>> {
  return openNetwork(programs, options, findAdapter);
}

/** The browser's adapter: high performance first, then whatever there is. */
export async function findAdapter(): Promise<FoundAdapter> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  if (gpu === undefined) {
    throw new NoAdapterError(
      "this browser has no WebGPU (`navigator.gpu`): " +
        "use a current Chrome, Edge, Firefox or Safari, " +
        "and serve the page over https or from localhost",
    );
  }
  const adapter =
    (await gpu.requestAdapter({ powerPreference: "high-performance" })) ??
    (await gpu.requestAdapter());
  if (adapter === null) {
    throw new NoAdapterError("WebGPU is there, but this browser found no adapter to run it on");
  }
  const { info } = adapter;
  return { adapter, name: adapterName(info), software: info.isFallbackAdapter };
}
