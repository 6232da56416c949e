/** Networks in browsers: what a generated module needs of the runtime. */
import type { Program } from "../program/program.js";
import type { NetworkOptions } from "./calls.js";
import { adapterName, informationOf, isSoftware, type FoundAdapter } from "./device.js";
import { NoAdapterError } from "./errors.js";
import type { Images } from "./data/dataset.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import type { Network } from "./network.js";
import { openNetwork } from "./open.js";
import { capture } from "./pictures/capture.js";

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

/**
 * The browser's adapter: high performance first, then whatever there is. Throws NoAdapterError with
 * what helps on this browser.
 */
export async function findAdapter(): Promise<FoundAdapter> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  const tried: string[] = [];
  const request = (options: GPURequestAdapterOptions) =>
    gpu?.requestAdapter(options).catch((error: unknown) => void tried.push(String(error)));
  const adapter = (await request({ powerPreference: "high-performance" })) ?? (await request({}));
  if (!adapter) {
    const { explainNoAdapter } = await import("./no-adapter.js");
    throw new NoAdapterError(explainNoAdapter(gpu !== undefined, tried, globalThis), tried);
  }
  const information = informationOf(adapter);
  return { adapter, name: adapterName(information), software: isSoftware(information) };
}
