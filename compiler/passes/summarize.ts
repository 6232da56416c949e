import { GraphBuilder } from "../ops/builder.js";
import type { Graph } from "../ir/graph.js";

/** The graph with the batch's means of its loss and metrics, as one `batchMean` node after all else. */
export function summarize(graph: Graph): Graph {
  const loss = graph.metrics[0];
  if (!loss) return graph;
  const builder = GraphBuilder.from(graph);
  const values = graph.metrics.map((metric) => metric.value);
  builder.add("batchMean", values, {}, loss.value.origin);
  return builder.finish(graph);
}
