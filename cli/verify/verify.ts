/** A network's kernels and gradients on the adapter at hand, held against the references. */
import type { TracedProgram } from "../../compiler/trace.js";
import type { Network } from "../../runtime/network.js";
import { randomExamples } from "../random-examples.js";
import { verifyList, type Tally, type VerifiedList, type VerifyOptions } from "./verify-list.js";

export type { Divergence, Tally } from "./verify-list.js";

/** Checks lists of a network one after the other, up to the first that is wrong. The network trains one step before. */
export async function verifyNetwork(
  network: Network,
  traced: Pick<TracedProgram, "lists">,
  lists: readonly VerifiedList[],
  options: VerifyOptions,
): Promise<Tally> {
  const examples = randomExamples(network.program, network.batch);
  const wanted = lists.filter((list) => traced.lists[list]);
  // Momentum counts from the second step on.
  if (wanted.includes("train")) {
    await (network as Network<string, string, typeof examples.targets>).step(
      examples.images,
      examples.targets,
    );
  }
  let tally: Tally = { kernels: 0, values: 0 };
  for (const list of wanted) {
    const found = await verifyList(network, traced, list, examples, options);
    tally = {
      ...found,
      kernels: tally.kernels + found.kernels,
      values: tally.values + found.values,
    };
    if (tally.divergence) break;
  }
  return tally;
}
