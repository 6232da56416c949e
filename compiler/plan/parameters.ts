/** What lies in memory as a parameter does, and which parameter that is. */
import { trainedParameters } from "../ir/fusion.js";
import type { Graph } from "../ir/graph.js";
import type { StoredParameter } from "../layout/parameters.js";

type ById = ReadonlyMap<number, StoredParameter>;

/**
 * The parameters of a graph by the ids of all values that lie as they do: parameters themselves,
 * what inference makes of them, their gradients, and what the optimizer keeps.
 */
export function layoutsOfParameters(graph: Graph, stored: ById): ById {
  const known = new Map([...stored, ...scaled(graph, stored)]);
  for (const { parameter, states } of trainedParameters(graph)) {
    const layout = known.get(parameter.id);
    if (layout) for (const { id } of states) known.set(id, layout);
  }
  return new Map([...known, ...gradientsOf(graph, stored)]);
}

/** Scaled weights lie as the weights do. */
const scaled = ({ nodes }: Graph, stored: ById) =>
  nodes.flatMap(({ kind, inputs, outputs }) => {
    const weights = kind === "scaledWeights" ? stored.get(inputs[0]!.id) : undefined;
    return weights ? [[outputs[0]!.id, weights] as const] : [];
  });

/**
 * The parameter of each gradient that has separate memory. The gradients of layers that share a
 * parameter lie as their sum does.
 */
export function gradientsOf(graph: Graph, stored: ById): ById {
  const gradients = new Map<number, StoredParameter>();
  for (const { parameter, gradient } of trainedParameters(graph)) {
    const layout = stored.get(parameter.id);
    if (gradient && layout) gradients.set(gradient.id, layout);
  }
  for (const { kind, inputs, outputs } of graph.nodes.toReversed()) {
    const sum = kind === "sumGradients" ? gradients.get(outputs[0]!.id) : undefined;
    if (sum) for (const { id } of inputs) gradients.set(id, sum);
  }
  return gradients;
}
