import { GraphBuilder } from "../ops/builder.js";
import type { Graph } from "../ir/graph.js";

/**
 * A forward graph for images that are mixtures of two: its losses are of the labels of both, each by its share (mixup, arXiv:1710.09412;
 * CutMix, arXiv:1905.04899). Metrics stay those of the first label. A graph without labels is left as it is.
 */
export function mixLabels(graph: Graph): Graph {
  if (graph.labels?.type !== "u32") return graph;
  const builder = GraphBuilder.withoutNodes(graph);
  const { partners, shares } = builder.mixture(graph.labels);
  for (const node of graph.nodes) {
    const isLoss = node.kind === "crossEntropy";
    builder.keep(isLoss ? { ...node, inputs: [...node.inputs, partners, shares] } : node);
  }
  return builder.finish(graph);
}
