/** A compiled spec on a GPU. */
import type { Network, NetworkOptions } from "../runtime/network.js";
import type { CompiledSpec } from "./compiled.js";
import { say } from "./terminal.js";

/** Opens the network and says where it runs, if that is slower than it could be. The caller destroys it. */
export async function openNetwork(
  { compilation }: CompiledSpec,
  options: NetworkOptions,
): Promise<Network> {
  // Loaded here: commands that need no GPU should not wait for Dawn.
  const { createNetwork } = await import("../runtime/index.js");
  const network = await createNetwork(compilation.programs, options);
  const { name, software } = network.adapter;
  if (software) {
    say(`running on ${name}, a software adapter on the CPU; \`netc doctor\` says what is faster`);
  }
  if (network.program.adapter) say("with the schedules that `netc tune` measured on this adapter");
  return network;
}
