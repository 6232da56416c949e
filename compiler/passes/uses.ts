import type { AnyNode, Graph, Value } from "../ir/graph.js";

/** Who reads and who makes each value of a graph. */
export class Uses {
  private readonly makers = new Map<number, AnyNode>();
  private readonly readers = new Map<number, AnyNode[]>();
  private readonly kept: ReadonlySet<number>;

  constructor(
    nodes: readonly AnyNode[],
    { prediction, metrics }: Pick<Graph, "prediction" | "metrics">,
  ) {
    for (const node of nodes) {
      for (const output of node.outputs) this.makers.set(output.id, node);
      for (const id of new Set(node.inputs.map((input) => input.id))) {
        this.readers.set(id, [...(this.readers.get(id) ?? []), node]);
      }
    }
    this.kept = new Set([prediction.id, ...metrics.map(({ value }) => value.id)]);
  }

  maker(value: Value): AnyNode | undefined {
    return this.makers.get(value.id);
  }

  readersOf(value: Value): readonly AnyNode[] {
    return this.readers.get(value.id) ?? [];
  }

  /** Whether `reader` is all that ever reads the value, so that it need not exist outside that node. */
  isReadOnlyBy(value: Value, reader: AnyNode): boolean {
    const readers = this.readersOf(value);
    return !this.kept.has(value.id) && readers.length === 1 && readers[0] === reader;
  }
}
