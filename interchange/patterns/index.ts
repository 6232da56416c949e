/** Nodes that together are one operator, and became several in a file. */
import { neededNodes, type FoldedGraph } from "../fold.js";
import type { ForeignNode } from "../foreign-graph.js";
import { activation, type Recognized } from "./activations.js";
import { bias } from "./biases.js";
import { denseImages } from "./dense-images.js";
import { adaptivePool } from "./adaptive-pool.js";
import { groupNorm } from "./group-norm.js";
import { layerNorm } from "./layer-norm.js";
import { localResponse } from "./local-response.js";
import { nearestPixels } from "./nearest-pixels.js";
import { Terms } from "./terms.js";

/** A graph that gives the same, in which such nodes are one. */
export function recognize(graph: FoldedGraph): FoldedGraph {
  const terms = new Terms(graph);
  const isReadOnce = readOnce(graph);
  const nodes = graph.nodes.map((node) => {
    const found = patternOf(node, terms) ?? bias(node, terms, isReadOnce);
    return found ? merged(node, found) : node;
  });
  const rewritten = denseImages({ ...graph, nodes });
  return { ...rewritten, nodes: neededNodes(rewritten) };
}

function patternOf(node: ForeignNode, terms: Terms): Recognized | undefined {
  for (const pattern of PATTERNS) {
    const found = pattern(node, terms);
    if (found) return found;
  }
  return undefined;
}

const PATTERNS = [activation, layerNorm, groupNorm, localResponse, adaptivePool, nearestPixels];

function merged(node: ForeignNode, found: Recognized): ForeignNode {
  const { operator, inputs, attributes = {}, from = node } = found;
  const { name, place, calledThere } = from;
  return {
    operator,
    inputs,
    attributes,
    name,
    place,
    outputs: node.outputs,
    calledThere,
  };
}

function readOnce({ nodes, outputs }: FoldedGraph): (value: string) => boolean {
  const counts = new Map<string, number>();
  const count = (name: string | undefined) => {
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  outputs.forEach(count);
  for (const { inputs } of nodes) inputs.forEach(count);
  return (value) => counts.get(value) === 1;
}
