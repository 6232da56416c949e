import { scoreValues, type AnyNode, type Graph, type Value } from "./graph.js";

/** Who makes and who reads each value of a graph: what passes ask about the rest of it. */
export class Uses {
  private readonly makers = new Map<Value, AnyNode>();
  private readonly readersOf = new Map<Value, AnyNode[]>();
  private readonly results: ReadonlySet<Value>;

  constructor(graph: Graph) {
    this.results = new Set([graph.prediction, ...scoreValues(graph)]);
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
