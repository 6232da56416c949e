import { mapParts } from "../ir/expression-transform.js";
import { simplify } from "../ir/expression-simplify.js";
import { add, channel, constant, multiply, operand, type Expression } from "../ir/expression.js";
import type { AnyNode, Graph } from "../ir/graph.js";
import { removeDeadNodes } from "./dead-nodes.js";
import { rewrite, type Rule } from "./rewrite.js";

/** The graph as it runs outside training: dropout keeps everything, and running statistics stand in for the batch's. */
export function forInference(graph: Graph): Graph {
  const known = rewrite(graph, [byRunningStatistics]);
  return { ...known, nodes: known.nodes.map(withoutDropout) };
}

/** Normalising by statistics known beforehand is a multiplication and an addition, which the convolution before takes in. */
const byRunningStatistics: Rule = (node, surroundings) => {
  if (node.kind !== "normalize") return undefined;
  const [x, mean, , ...affine] = node.inputs;
  const { attributes, origin } = node;
  const [, ...running] = surroundings.maker(mean!)!.inputs;
  return (builder) => {
    const vectors = builder.addAll("normalizeScale", [...running, ...affine], attributes, origin);
    const expression = add(multiply(operand(0), channel(1)), channel(2));
    return [builder.add("pointwise", [x!, ...vectors], { expression }, origin)];
  };
};

function withoutDropout(node: AnyNode): AnyNode {
  if (node.kind !== "pointwise") return node;
  const expression = simplify(keepAll(node.attributes.expression));
  return { ...node, attributes: { expression } };
}

function keepAll(expression: Expression): Expression {
  return expression.kind === "keep" ? constant(1) : mapParts(expression, keepAll);
}

/** The part of a graph that its prediction (and nothing else) needs. */
export function forPrediction(graph: Graph): Graph {
  return removeDeadNodes({ ...graph, labels: undefined, metrics: [] });
}
