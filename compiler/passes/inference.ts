import { mapParts } from "../ir/expression-transform.js";
import { simplify } from "../ir/expression-simplify.js";
import { constant, type Expression } from "../ir/expression.js";
import type { AnyNode, Graph } from "../ir/graph.js";
import { removeDeadNodes } from "./dead-nodes.js";

/** The graph as it runs outside training: dropout keeps everything. */
export function forInference(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map(withoutDropout) };
}

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
