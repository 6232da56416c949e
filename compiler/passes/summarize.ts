import { GraphBuilder } from "../ops/builder.js";
import { isByClass, scoreTerms, type Graph } from "../ir/graph.js";

/**
 * The graph with the sums of its loss and metrics over the batch, as one `batchSums` node after all
 * else.
 */
export function summarize(graph: Graph): Graph {
  const terms = scoreTerms(graph);
  const [first] = terms;
  if (!first) return graph;
  const builder = GraphBuilder.from(graph);
  const values = terms.map(({ term }) => term.value);
  const single = terms.filter(({ term }) => !isByClass(term));
  const shares = single.map(({ score }) => score.isShare ?? false);
  builder.add("batchSums", values, { shares }, first.term.value.origin);
  return builder.finish(graph);
}
