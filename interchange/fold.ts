/** Nodes that the outputs need, with those whose inputs are all constant computed at once. */
import { RefusedNode } from "./attributes.js";
import type { ForeignGraph, ForeignInput, ForeignNode, ForeignTensor } from "./foreign-graph.js";
import { sizeOf } from "./foreign-graph.js";
import { evaluateNode, hasReference } from "./reference/evaluate.js";

export interface FoldedGraph extends ForeignGraph {
  /** Nodes that became constants. */
  readonly folded: readonly ForeignNode[];
}

export function fold(graph: ForeignGraph): FoldedGraph {
  const constants = new Map(graph.constants);
  const kept: ForeignNode[] = [];
  const folded: ForeignNode[] = [];
  let total = 0;
  for (const { values } of constants.values()) total += values.length;
  const most = LEAST_ALLOWED + GROWTH * total;
  for (const node of neededNodes(graph)) {
    const inputs = node.inputs.map((name) => (name ? constants.get(name) : undefined));
    const isConstant = node.inputs.every((name) => !name || constants.has(name));
    const results = isConstant ? computed(node, inputs, most) : undefined;
    if (!results) kept.push(node);
    else {
      folded.push(node);
      results.forEach((tensor, index) => constants.set(node.outputs[index]!, tensor));
    }
  }
  return { ...graph, nodes: kept, constants, folded };
}

/** Folding makes no more than this of a small file: shapes are small. */
const LEAST_ALLOWED = 2 ** 16;
/** Elements that one constant may become, as a multiple of all that the file has. */
const GROWTH = 2;

/**
 * What a node gives whose inputs became constants while the graph was mapped: shapes are known only
 * then. Undefined where it is more than arithmetic of shapes.
 */
export function computedShape(
  node: ForeignNode,
  inputs: readonly (ForeignTensor | undefined)[],
): readonly ForeignTensor[] | undefined {
  return computed(node, inputs, LEAST_ALLOWED);
}

/**
 * Undefined where the node stays: its mapping says what is wrong with it.
 *
 * @param most elements that an output may have
 */
export function computed(
  node: ForeignNode,
  inputs: readonly (ForeignTensor | undefined)[],
  most: number,
): readonly ForeignTensor[] | undefined {
  if (!hasReference(node.operator) || HEAVY.has(node.operator)) return undefined;
  if (sizeBound(node, inputs) > most) return undefined;
  try {
    return evaluateNode(node, inputs);
  } catch (error) {
    if (error instanceof RefusedNode) return undefined;
    throw error;
  }
}

/** Only what networks do to images: constants never go through them. */
const HEAVY = new Set([
  "Pad",
  "Resize",
  "Range",
  "Conv",
  "ConvTranspose",
  "MaxPool",
  "AveragePool",
]);

/** At least as many elements as the node's outputs have. */
function sizeBound(
  { operator }: ForeignNode,
  inputs: readonly (ForeignTensor | undefined)[],
): number {
  const given = inputs.filter((tensor) => tensor !== undefined);
  if (operator === "Concat") return given.reduce((sum, { values }) => sum + values.length, 0);
  const largest = Math.max(1, ...given.map(({ values }) => values.length));
  if (operator === "ConstantOfShape") return sizeOf([...(given[0]?.values ?? [])]);
  if (operator === "Expand") return largest * sizeOf([...(given[1]?.values ?? [])]);
  if (operator === "Gather") return largest * (given[1]?.values.length ?? 1);
  if (operator === "MatMul" || operator === "Gemm") {
    return given.slice(0, 2).reduce((product, { values }) => product * values.length, 1);
  }
  const rank = Math.max(0, ...given.map(({ shape }) => shape.length));
  const sizes = Array.from({ length: rank }, (_, axis) =>
    Math.max(1, ...given.map(({ shape }) => shape[shape.length - 1 - axis] ?? 1)),
  );
  return Math.max(largest, BROADCASTS.has(operator) ? sizeOf(sizes) : 1);
}

const BROADCASTS = new Set([
  ...["Add", "And", "Div", "Equal", "Greater", "Less", "Max", "Min", "Mul", "Pow", "Sub", "Sum"],
  "Where",
]);

/** The inputs that the outputs need, in the graph's order. */
export function inputsRead(graph: ForeignGraph): readonly ForeignInput[] {
  const read = new Set(neededNodes(graph).flatMap(({ inputs }) => inputs));
  return graph.inputs.filter(({ name }) => read.has(name) || graph.outputs.includes(name));
}

/** In the graph's order. */
export function neededNodes({ nodes, outputs }: ForeignGraph): readonly ForeignNode[] {
  const needed = new Set<string>(outputs);
  const kept: ForeignNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(node);
    for (const name of node.inputs) if (name) needed.add(name);
  }
  return kept.reverse();
}
