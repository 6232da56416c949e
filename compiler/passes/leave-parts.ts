import { canFuse, readsOf, type LeftParts } from "../ir/fusion.js";
import type { AnyNode, Graph, Value } from "../ir/graph.js";
import { usesOf, type Uses } from "../ir/uses.js";
import { geometryOf, isContraction } from "../layout/geometry.js";
import { isMove } from "../layout/moves.js";
import type { HalfValues } from "../layout/halves.js";
import { MOST_BINDINGS } from "../../program/limits.js";

/**
 * Lets nodes begin the reductions of each channel of what they make: batch normalization's
 * statistics and sums. Runs last, since it depends on the order of nodes and on what is stored in
 * 16 bits.
 */
export function leaveParts(graph: Graph, half: HalfValues): Graph {
  const uses = usesOf(graph);
  const made = new Set(graph.inputs.map(({ value }) => value));
  const nodes = graph.nodes.map((node): AnyNode => {
    const leaves = leavesOf(node, { uses, half, made });
    for (const output of node.outputs) made.add(output);
    return leaves ? { ...node, fusion: { ...node.fusion, leaves } } : node;
  });
  return { ...graph, nodes };
}

interface Surroundings {
  readonly uses: Uses;
  readonly half: HalfValues;
  /** What is made before the node. */
  readonly made: ReadonlySet<Value>;
}

function leavesOf(node: AnyNode, { uses, half, made }: Surroundings): LeftParts | undefined {
  // A reduction is of values as they are stored, and a kernel has not yet rounded them to 16 bits.
  if (node.outputs.some(({ id }) => half.has(id))) return undefined;
  const leaves = partsToLeave(node, uses);
  if (!leaves?.operands.every((operand) => made.has(operand))) return undefined;
  // The parts take a binding, as the result does.
  const bindings = readsOf(node).length + leaves.operands.length + 2;
  return bindings <= MOST_BINDINGS ? leaves : undefined;
}

/** What a node leaves, where nothing else speaks against it. */
export function partsToLeave(node: AnyNode, uses: Uses): LeftParts | undefined {
  const [value] = node.outputs;
  if (!value || !canLeave(node)) return undefined;
  const reduction = uses.readers(value).find((reader) => reduces(reader, value));
  return reduction && partsFor(reduction);
}

function partsFor({ kind, inputs, outputs }: AnyNode): LeftParts {
  const [reduction] = outputs as [Value, ...Value[]];
  if (kind === "channelStatistics") return { what: "moments", reduction, operands: [] };
  const [, input, mean] = inputs as [Value, Value, Value];
  return { what: "products", reduction, operands: [input, mean] };
}

const reduces = ({ kind, inputs }: AnyNode, value: Value): boolean =>
  (kind === "channelStatistics" || kind === "normalizeGradient") && inputs[0] === value;

/**
 * Kernels leave parts where a lane goes through pixels: not the direct form, nor a product's
 * gradient.
 */
function canLeave(node: AnyNode): boolean {
  if (!canFuse(node.kind, "leaves")) return false;
  // A move by itself may need no kernel.
  if (isMove(node)) return node.fusion?.epilogue !== undefined;
  if (!isContraction(node)) return true;
  const { isDirect, coversInput } = geometryOf(node);
  return !isDirect && (node.kind === "convolution" || !coversInput);
}
