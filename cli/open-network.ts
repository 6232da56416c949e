/** A compiled spec on a GPU. */
import { normalizesByBatch } from "../program/statistics.js";
import type { NetworkOptions } from "../runtime/calls.js";
import type { Network } from "../runtime/network.js";
import type { CompileProgress } from "../runtime/pipelines.js";
import type { CompiledSpec } from "./compiled.js";
import { warn } from "./terminal.js";
import { createCounter, type Counter } from "./progress.js";
import { say } from "./terminal.js";

/**
 * Opens the network and says where it runs, if that is slower than it could be. The caller destroys
 * it.
 */
export async function openNetwork(
  { compilation }: CompiledSpec,
  options: NetworkOptions,
): Promise<Network> {
  // Loaded here: commands that need no GPU should not wait for Dawn.
  const { createNetwork } = await import("../runtime/index.js");
  const onCompile = compilationBar();
  const network = await createNetwork(compilation.programs, {
    ...options,
    onCompile,
    onWarning: warn,
  });
  saySoftware(network.adapter);
  if (network.program.adapter) say("with the schedules that `netc tune` measured on this adapter");
  announceSlices(network, options);
  return network;
}

/** Adapters that were named: a command may open several networks. */
const named = new Set<string>();

function saySoftware({ name, software }: Network["adapter"]): void {
  if (!software || named.has(name)) return;
  named.add(name);
  say(`running on ${name}, a software adapter on the CPU; \`netc doctor\` says what is faster`);
}

/**
 * Says when the device's limits split a batch into slices, and what that changes.
 */
function announceSlices(
  { batch, slice, program }: Network,
  { accumulate = 1 }: NetworkOptions,
): void {
  const wanted = Math.ceil(batch / accumulate);
  // All phases come in the smallest of their slices, which `--memory` may have asked for.
  const phases = [program, ...(program.phases ?? [])];
  if (slice >= Math.min(wanted, ...phases.map((phase) => phase.slice ?? wanted))) return;
  const slices = Math.ceil(batch / slice);
  say(
    `a batch of ${batch} exceeds what this device can bind: ` +
      `netc splits it into ${slices} slices of up to ${slice} images`,
  );
  if (normalizesByBatch(program.parameters) && program.steps.train.length > 0) {
    warn("in training, batch normalization takes the statistics of each slice, not of the batch");
  }
}

/** Shows on a terminal how far the kernels of a step list are compiled. */
function compilationBar(): (progress: CompileProgress) => void {
  let bar: Counter | undefined;
  return ({ done, total }) => {
    bar ??= createCounter(total, "compiled kernels");
    bar.update(done);
    if (done < total) return;
    bar.stop();
    bar = undefined;
  };
}
