import { add, binary, channel, constant, multiply, operand, subtract } from "../ir/expression.js";
import { unary, type Expression } from "../ir/expression.js";
import type { AnyNode, Graph, Node, Value } from "../ir/graph.js";

/**
 * The graph in which batch normalization by frozen statistics is a pointwise function of its input
 * and of these, so that its gradient takes them as constants and nothing moves them.
 */
export function freezeStatistics(graph: Graph): Graph {
  const kept = new Set(graph.parameters.filter(({ isKept }) => isKept).map(({ value }) => value));
  if (kept.size === 0) return graph;
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((out) => [out, node])));
  const isFrozen = (node: AnyNode | undefined) =>
    node?.kind === "channelStatistics" && node.inputs.slice(1).some((value) => kept.has(value));
  const nodes = graph.nodes.flatMap((node): AnyNode[] => {
    if (isFrozen(node)) return [];
    if (node.kind !== "normalize") return [node];
    const statistics = makers.get(node.inputs[1]!);
    return [isFrozen(statistics) ? byRunning(node, statistics!) : node];
  });
  return { ...graph, nodes };
}

/** The mean and the variance are the channel operands 1 and 2, weight and bias 3 and 4. */
function byRunning(node: Node<"normalize">, statistics: AnyNode): AnyNode {
  const [x, , , ...affine] = node.inputs as [Value, Value, Value, ...Value[]];
  const [, mean, variance] = statistics.inputs as [Value, Value, Value];
  const { epsilon } = node.attributes;
  const deviation = unary("sqrt", add(channel(2), constant(epsilon)));
  const normal = binary("divide", subtract(operand(0), channel(1)), deviation);
  const expression: Expression =
    affine.length > 0 ? add(multiply(normal, channel(3)), channel(4)) : normal;
  return {
    kind: "pointwise",
    inputs: [x, mean, variance, ...affine],
    outputs: node.outputs,
    attributes: { expression },
    origin: node.origin,
  };
}
