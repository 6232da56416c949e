import { readsOf } from "../ir/fusion.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { fuse } from "./fuse.js";
import { usesOf, type Uses } from "../ir/uses.js";

/**
 * The names of the layers that each kernel of a graph computes once it is fused, kernels of several
 * layers alone. The graph must be simplified already. A layer that vanished on the way is in none.
 */
export function kernelsOfLayers(graph: Graph): readonly (readonly string[])[] {
  const before = usesOf(graph);
  return fuse(graph).nodes.flatMap((node) => {
    const names = [...new Set(membersOf(node, before).map(({ origin }) => origin.name))];
    return names.length > 1 ? [names.reverse()] : [];
  });
}

/**
 * The nodes that a fused node replaces: all between its outputs and its inputs, the last first.
 */
function membersOf(fused: AnyNode, before: Uses): readonly AnyNode[] {
  const members = new Set<AnyNode>();
  const inputs = new Set(readsOf(fused));
  const visit = (value: Value) => {
    const maker = before.maker(value);
    if (inputs.has(value) || !maker || members.has(maker)) return;
    members.add(maker);
    readsOf(maker).forEach(visit);
  };
  fused.outputs.forEach(visit);
  return [...members];
}
