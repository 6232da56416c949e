import { GraphBuilder } from "../ops/builder.js";
import { operand } from "../ir/expression.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { isActivation, spacingFor } from "../layout/choose-layouts.js";
import { usesOf, type Uses } from "../ir/uses.js";

/**
 * Gives a separate copy to readers that need a value's pixels further apart than others do: the
 * gradient of a sum goes to convolutions of different strides, and lies in memory in one way only.
 */
export function separateSpacings(graph: Graph): Graph {
  const uses = usesOf(graph);
  const builder = GraphBuilder.withoutNodes(graph);
  const copies = new Copies(uses);
  for (const node of graph.nodes) {
    // A copy comes right before its first reader, so that it is short-lived.
    const inputs = node.inputs.map((input, index) =>
      index === 0 ? copies.readAs(input, node, builder) : input,
    );
    builder.keep(inputs[0] === node.inputs[0] ? node : { ...node, inputs });
  }
  return copies.areNeeded ? builder.finish(graph) : graph;
}

class Copies {
  /** By the value's id and the spacing. */
  private readonly made = new Map<string, Value>();

  constructor(private readonly uses: Uses) {}

  get areNeeded(): boolean {
    return this.made.size > 0;
  }

  /** What a node is to read in the value's place. */
  readAs(value: Value, reader: AnyNode, builder: GraphBuilder): Value {
    if (!isActivation(value)) return value;
    const own = spacingFor(value, reader)?.join(" ");
    if (own === undefined || own === this.spacing(value)) return value;
    const key = `${value.id} ${own}`;
    const known = this.made.get(key);
    if (known) return known;
    const { origin } = value;
    const copy = builder.add("pointwise", [value], { expression: operand(0) }, origin);
    this.made.set(key, copy);
    return copy;
  }

  /** What the value's first reader with a spacing needs. */
  private spacing(value: Value): string | undefined {
    for (const reader of this.uses.readers(value)) {
      const spacing = spacingFor(value, reader);
      if (spacing) return spacing.join(" ");
    }
    return undefined;
  }
}
