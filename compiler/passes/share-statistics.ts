import type { AnyNode, Graph } from "../ir/graph.js";

/** Takes the statistics of batch normalization, and the sums of its gradient, over all ranks. */
export function shareStatistics(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map(shared) };
}

function shared(node: AnyNode): AnyNode {
  switch (node.kind) {
    case "channelStatistics":
      return { ...node, attributes: { ...node.attributes, isShared: true } };
    case "normalizeGradient":
      return { ...node, attributes: { ...node.attributes, isShared: true } };
    default:
      return node;
  }
}
