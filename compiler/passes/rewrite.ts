import { GraphBuilder } from "../ops/builder.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { removeDeadNodes } from "./dead-nodes.js";
import { Uses } from "../ir/uses.js";

/** Adds what stands in a node's place, and returns what stands in for each of its outputs. */
export type Replacement = (builder: GraphBuilder) => readonly Value[];

/** Looks at one node: its replacement where the rule applies. */
export type Rule = (node: AnyNode, uses: Uses) => Replacement | undefined;

/** Applies rules, one match at a time, until none applies. Each rule must leave the graph simpler in some measure. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Graph {
  let current = removeDeadNodes(graph);
  for (let next = applyOnce(current, rules); next; next = applyOnce(current, rules))
    current = removeDeadNodes(next);
  return current;
}

function applyOnce(graph: Graph, rules: readonly Rule[]): Graph | undefined {
  const uses = new Uses(graph);
  for (const node of graph.nodes) {
    for (const rule of rules) {
      const replacement = rule(node, uses);
      if (replacement) return replaceNode(graph, node, replacement);
    }
  }
  return undefined;
}

function replaceNode(graph: Graph, replaced: AnyNode, replacement: Replacement): Graph {
  const builder = GraphBuilder.withoutNodes(graph);
  const standIns = new Map<Value, Value>();
  const current = (value: Value) => standIns.get(value) ?? value;
  for (const node of graph.nodes) {
    if (node === replaced) {
      const outputs = replacement(builder);
      node.outputs.forEach((output, index) => standIns.set(output, outputs[index]!));
    } else {
      builder.keep({ ...node, inputs: node.inputs.map(current) });
    }
  }
  const metrics = graph.metrics.map((score) => ({
    ...score,
    terms: score.terms.map((term) => ({ ...term, value: current(term.value) })),
  }));
  return builder.finish({ prediction: current(graph.prediction), metrics });
}
