import { GraphBuilder } from "../ir/builder.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { removeDeadNodes } from "./dead-nodes.js";

/** What a rule may ask about the rest of the graph. */
export class Surroundings {
  private readonly makers = new Map<Value, AnyNode>();
  private readonly readersOf = new Map<Value, AnyNode[]>();
  private readonly results: ReadonlySet<Value>;

  constructor(graph: Graph) {
    this.results = new Set([graph.prediction, ...graph.metrics.map((metric) => metric.value)]);
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.makers.set(output, node);
      for (const input of new Set(node.inputs))
        this.readersOf.set(input, [...this.readers(input), node]);
    }
  }

  /** The node that makes a value; undefined for inputs, parameters and velocities. */
  maker(value: Value): AnyNode | undefined {
    return this.makers.get(value);
  }

  readers(value: Value): readonly AnyNode[] {
    return this.readersOf.get(value) ?? [];
  }

  /** Whether the value is a prediction or metric, which must be there whoever else reads it. */
  isResult(value: Value): boolean {
    return this.results.has(value);
  }

  /** Whether these nodes alone read the value. */
  isReadOnlyBy(value: Value, ...nodes: readonly AnyNode[]): boolean {
    return !this.isResult(value) && this.readers(value).every((reader) => nodes.includes(reader));
  }
}

/** Adds what stands in a node's place, and returns what stands in for each of its outputs. */
export type Replacement = (builder: GraphBuilder) => readonly Value[];

/** Looks at one node: its replacement where the rule applies. */
export type Rule = (node: AnyNode, surroundings: Surroundings) => Replacement | undefined;

/** Applies rules, one match at a time, until none applies. Each rule must leave the graph simpler in some measure. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Graph {
  let current = removeDeadNodes(graph);
  for (let next = applyOnce(current, rules); next; next = applyOnce(current, rules))
    current = removeDeadNodes(next);
  return current;
}

function applyOnce(graph: Graph, rules: readonly Rule[]): Graph | undefined {
  const surroundings = new Surroundings(graph);
  for (const node of graph.nodes) {
    for (const rule of rules) {
      const replacement = rule(node, surroundings);
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
  const metrics = graph.metrics.map(({ name, value }) => ({ name, value: current(value) }));
  return builder.finish({ prediction: current(graph.prediction), metrics });
}
