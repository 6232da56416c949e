/**
 * Names of layers that PyTorch leaves in a file: in the names of weights, and in those of nodes.
 */
import type { ForeignNode } from "../foreign-graph.js";

/**
 * `features.0` of a node whose weight is `features.0.weight`; else `layer1.0.conv1` of the node
 * `/layer1/layer1.0/conv1/Conv`.
 */
export function moduleNames(nodes: readonly ForeignNode[]): readonly ForeignNode[] {
  const named = nodes.map((node) => {
    const weight = node.inputs.slice(1).find((name) => name?.endsWith(".weight"));
    const name = weight?.slice(0, -".weight".length) ?? scopeOf(node.name);
    return { ...node, name };
  });
  const containers = containersOf(named.map(({ name }) => name));
  // What a module with others in it computes itself is in that module, and has no name.
  return named.map((node) =>
    containers.has(node.name) ? { ...node, name: `${node.name}.${node.operator}` } : node,
  );
}

/** Names that others begin with. */
function containersOf(names: readonly string[]): ReadonlySet<string> {
  const outer = names.flatMap((name) => {
    const parts = name.split(".");
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("."));
  });
  return new Set(outer);
}

/** Each part of a scope repeats those before it where the module is in a list. */
function scopeOf(name: string): string {
  if (!name.startsWith("/")) return name;
  const parts = name.split("/").slice(1, -1);
  const own = parts.map((part, index) => {
    const before = parts[index - 1];
    return before !== undefined && part.startsWith(`${before}.`)
      ? part.slice(before.length + 1)
      : part;
  });
  return own.join(".");
}
