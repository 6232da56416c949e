/**
 * What evaluation and prediction make of parameters alone: it is made where parameters change, once
 * for both, rather than in each call.
 */
import { readsOf } from "../ir/fusion.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { elementCount, hasBatch } from "../ir/shape.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { StoredParameter } from "../layout/parameters.js";
import { fixed, type Storage } from "./storage.js";

/**
 * The nodes of a graph that read nothing but parameters, and what is made of them. What is repeated
 * for each example is made where it is read.
 */
export function foldedNodes({ nodes, parameters }: Graph): readonly AnyNode[] {
  const known = new Set(parameters.map(({ value }) => value.id));
  return nodes.filter((node) => {
    const isOfExamples = node.outputs.some(({ shape }) => hasBatch(shape));
    const isFolded = !isOfExamples && readsOf(node).every(({ id }) => known.has(id));
    if (isFolded) for (const output of node.outputs) known.add(output.id);
    return isFolded;
  });
}

/** Memory for a value that is made of parameters: as they lie, or a vector. */
export function foldedStorage(
  { name, shape }: Value,
  stored: StoredParameter | undefined,
): readonly Storage[] {
  const pieces = stored?.pieces ?? [{ bytes: 4 * roundUpTo4(elementCount(shape)) }];
  return pieces.map(({ bytes }) => ({ name, purpose: "folded", bytes: fixed(bytes) }));
}
