import { GraphBuilder } from "../ops/builder.js";
import { scoreValues, type Graph } from "../ir/graph.js";

/**
 * The graph with the sums of its loss and metrics over the batch, as one `batchSums` node after all
 * else.
 */
export function summarize(graph: Graph): Graph {
  const values = scoreValues(graph);
  const [loss] = values;
  if (!loss) return graph;
  const builder = GraphBuilder.from(graph);
  const shares = graph.metrics.flatMap(({ terms, isShare = false }) => terms.map(() => isShare));
  builder.add("batchSums", values, { shares }, loss.origin);
  return builder.finish(graph);
}
