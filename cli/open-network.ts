/** A compiled spec on a GPU. */
import type { Network, NetworkOptions } from "../runtime/network.js";
import type { CompileProgress } from "../runtime/pipelines.js";
import type { CompiledSpec } from "./compiled.js";
import { createCounter, type Counter } from "./progress.js";
import { say } from "./terminal.js";

/** Opens the network and says where it runs, if that is slower than it could be. The caller destroys it. */
export async function openNetwork(
  { compilation }: CompiledSpec,
  options: NetworkOptions,
): Promise<Network> {
  // Loaded here: commands that need no GPU should not wait for Dawn.
  const { createNetwork } = await import("../runtime/index.js");
  const onCompile = compilationBar();
  const network = await createNetwork(compilation.programs, { ...options, onCompile });
  const { name, software } = network.adapter;
  if (software) {
    say(`running on ${name}, a software adapter on the CPU; \`netc doctor\` says what is faster`);
  }
  if (network.program.adapter) say("with the schedules that `netc tune` measured on this adapter");
  return network;
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
