import type { Graph } from "../ir/graph.js";

/** The graph with the named parameters kept as they are: they get no gradient, and neither do layers that only they need. */
export function freeze(graph: Graph, names: readonly string[]): Graph {
  const frozen = new Set(names);
  const parameters = graph.parameters.map((parameter) =>
    frozen.has(parameter.value.name) ? { ...parameter, trainable: false } : parameter,
  );
  return { ...graph, parameters };
}
