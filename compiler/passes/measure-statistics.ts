import type { StatisticsGraph } from "../ir/step-graphs.js";
import { imageShape } from "../ir/shape.js";
import type { AnyNode, Graph, Node, Value } from "../ir/graph.js";
import { GraphBuilder } from "../ops/builder.js";
import { removeDeadNodes } from "./dead-nodes.js";

/**
 * The part of a training graph that measures the statistics of batches, without gradients: what
 * `update_bn` of PyTorch runs. Each layer leaves them in separate states, the running statistics
 * stay. Undefined where nothing measures batches.
 */
export function measureStatistics(graph: Graph): StatisticsGraph | undefined {
  const builder = GraphBuilder.withoutNodes(graph);
  const layers = graph.nodes.filter((node) => node.kind === "channelStatistics");
  if (layers.length === 0) return undefined;
  const measured = layers.map((node) => {
    const [x, mean, variance] = node.inputs as [Value, Value, Value];
    const { height, width } = imageShape(x.shape);
    const states = [mean, variance].map((value) => builder.state(value, "measured"));
    return { node, running: [mean, variance], states, pixels: height * width };
  });
  const measuring = (node: AnyNode): AnyNode => {
    const own = measured.find((each) => each.node === node);
    return own ? leaving(own.node, own.states) : node;
  };
  for (const node of graph.nodes) builder.keep(measuring(node));
  const alive = removeDeadNodes(builder.finish({ outputs: [], metrics: [] }));
  const read = new Set(alive.nodes.flatMap(({ inputs }) => inputs));
  const inputs = alive.inputs.filter(({ value }) => read.has(value));
  return { graph: { ...alive, inputs }, layers: measured };
}

/** A momentum of 1 leaves the mean and the unbiased variance of the batch. */
const leaving = (
  node: Node<"channelStatistics">,
  states: readonly Value[],
): Node<"channelStatistics"> => ({
  ...node,
  inputs: [node.inputs[0]!, ...states],
  attributes: { ...node.attributes, momentum: 1, isKept: true },
});
