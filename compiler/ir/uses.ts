import { readsOf } from "./fusion.js";
import { resultsOf, type AnyNode, type Graph, type Value } from "./graph.js";

const known = new WeakMap<Graph, Uses>();

/** The uses of a graph, found once. */
export function usesOf(graph: Graph): Uses {
  const uses = known.get(graph) ?? new Uses(graph);
  known.set(graph, uses);
  return uses;
}

/** Who makes and who reads each value of a graph: what passes ask about the rest of it. */
export class Uses {
  protected readonly makers = new Map<Value, AnyNode>();
  protected readonly readersOf = new Map<Value, Set<AnyNode>>();
  protected readonly results: Set<Value>;

  constructor(graph: Graph) {
    this.results = new Set(resultsOf(graph));
    for (const node of graph.nodes) this.connect(node);
  }

  protected connect(node: AnyNode): void {
    for (const output of node.outputs) this.makers.set(output, node);
    for (const input of readsOf(node)) {
      const readers = this.readersOf.get(input);
      if (readers) readers.add(node);
      else this.readersOf.set(input, new Set([node]));
    }
  }

  /** The node that makes a value; undefined for inputs, parameters and velocities. */
  maker(value: Value): AnyNode | undefined {
    return this.makers.get(value);
  }

  /** In the graph's order. */
  readers(value: Value): readonly AnyNode[] {
    return [...(this.readersOf.get(value) ?? [])];
  }

  /** Whether the value is a prediction or metric, which must be there whoever else reads it. */
  isResult(value: Value): boolean {
    return this.results.has(value);
  }

  /** Whether these nodes alone read the value. */
  isReadOnlyBy(value: Value, ...nodes: readonly AnyNode[]): boolean {
    if (this.isResult(value)) return false;
    for (const reader of this.readersOf.get(value) ?? []) if (!nodes.includes(reader)) return false;
    return true;
  }
}
