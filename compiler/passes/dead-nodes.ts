import { isUpdate, readsOf } from "../ir/fusion.js";
import { resultsOf, type AnyNode, type Graph } from "../ir/graph.js";

/** Nodes that have an effect, without a value that another node reads. */
export function hasEffect(node: AnyNode): boolean {
  if (node.kind === "channelStatistics") return node.attributes.isKept ?? false;
  return isUpdate(node) || node.kind === "batchSums";
}

/** The graph without the nodes whose results nothing reads. */
export function removeDeadNodes(graph: Graph): Graph {
  const read = new Set(resultsOf(graph));
  const alive = graph.nodes.toReversed().filter((node) => {
    if (!hasEffect(node) && !node.outputs.some((output) => read.has(output))) return false;
    readsOf(node).forEach((value) => read.add(value));
    return true;
  });
  if (alive.length === graph.nodes.length) return graph;
  return { ...graph, nodes: alive.toReversed() };
}
