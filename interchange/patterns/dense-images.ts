/**
 * Features that become an image with channels last: their order goes into the layer that makes
 * them.
 */
import type { FoldedGraph } from "../fold.js";
import type { ForeignNode, ForeignTensor } from "../foreign-graph.js";
import { gathered, integers } from "../tensors.js";

/** Operators that treat each feature by itself. */
const ELEMENTWISE = new Set([
  ...["Relu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "HardSigmoid", "Mish", "Silu", "Gelu"],
  ...["Clip", "LeakyRelu", "Elu", "Identity", "Dropout", "SpatialDropout", "BatchNormalization"],
]);

/**
 * `Gemm -> ... -> Reshape [N, H, W, C] -> Transpose [0, 3, 1, 2]`, each read once, becomes a Gemm
 * with its outputs in the order C, H, W, and a reshape to that.
 */
export function denseImages(graph: FoldedGraph): FoldedGraph {
  const makers = new Map(graph.nodes.map((node) => [node.outputs[0], node] as const));
  const readers = new Map<string, number>();
  for (const { inputs } of graph.nodes) {
    for (const name of inputs) if (name) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const constants = new Map(graph.constants);
  const replaced = new Map<ForeignNode, ForeignNode>();
  for (const turn of graph.nodes) {
    const chain = chainTo(turn, makers, readers);
    const shape = chain && shapeOf(chain.reshape, constants);
    if (!chain || !shape) continue;
    const order = channelsFirst(shape);
    const permuted = chain.nodes.map((node) => permutedNode(node, order, constants));
    if (!permuted.every((node) => node !== undefined)) continue;
    chain.nodes.forEach((node, index) => replaced.set(node, permuted[index]!));
    const [height, width, channels] = shape;
    const wanted = `${turn.outputs[0]}/shape`;
    constants.set(wanted, integers([4], [-1, channels, height, width]));
    const inputs = [chain.reshape.inputs[0], wanted];
    replaced.set(turn, { ...chain.reshape, inputs, attributes: {}, outputs: turn.outputs });
  }
  const nodes = graph.nodes.map((node) => replaced.get(node) ?? node);
  return { ...graph, nodes, constants };
}

interface Chain {
  readonly reshape: ForeignNode;
  /** From the Gemm to what the reshape reads. */
  readonly nodes: readonly ForeignNode[];
}

function chainTo(
  turn: ForeignNode,
  makers: ReadonlyMap<string | undefined, ForeignNode>,
  readers: ReadonlyMap<string, number>,
): Chain | undefined {
  const { perm } = turn.attributes;
  const isToFirst = JSON.stringify(perm) === "[0,3,1,2]";
  if (turn.operator !== "Transpose" || !isToFirst) return undefined;
  const madeOnce = (name: string | undefined) =>
    name !== undefined && readers.get(name) === 1 ? makers.get(name) : undefined;
  const reshape = madeOnce(turn.inputs[0]);
  if (reshape?.operator !== "Reshape") return undefined;
  const nodes: ForeignNode[] = [];
  for (let node = madeOnce(reshape.inputs[0]); node; node = madeOnce(node.inputs[0])) {
    nodes.unshift(node);
    if (node.operator === "Gemm" || node.operator === "MatMul") return { reshape, nodes };
    if (!ELEMENTWISE.has(node.operator)) return undefined;
  }
  return undefined;
}

function shapeOf(
  { inputs }: ForeignNode,
  constants: ReadonlyMap<string, ForeignTensor>,
): readonly [number, number, number] | undefined {
  const values = constants.get(inputs[1] ?? "")?.values;
  const sizes = [...(values ?? [])].slice(1);
  return values?.length === 4 && sizes.every((size) => size > 0)
    ? (sizes as unknown as [number, number, number])
    : undefined;
}

/** Of each feature in the order C, H, W its place in the order H, W, C. */
function channelsFirst([height, width, channels]: readonly [number, number, number]): Int32Array {
  const order = new Int32Array(height * width * channels);
  for (let at = 0; at < order.length; at++) {
    const pixel = at % (height * width);
    order[at] = pixel * channels + Math.floor(at / (height * width));
  }
  return order;
}

/** The node with its weights in another order; undefined where they do not fit it. */
function permutedNode(
  node: ForeignNode,
  order: Int32Array,
  constants: Map<string, ForeignTensor>,
): ForeignNode | undefined {
  const isMatrix = node.operator === "Gemm" || node.operator === "MatMul";
  if (!isMatrix && node.operator !== "BatchNormalization") return node;
  const inputs = node.inputs.map((name, index) => {
    const tensor = name && index > 0 ? constants.get(name) : undefined;
    if (!name || index === 0) return name;
    if (!tensor) return undefined;
    const axis = isMatrix && index === 1 && node.attributes.transB !== 1 ? 1 : 0;
    const last = index === 1 && isMatrix ? axis : tensor.shape.length - 1;
    if (tensor.values.length === 1) return name;
    if (tensor.shape[last] !== order.length) return undefined;
    const permuted = `${name}/${node.outputs[0]}`;
    constants.set(permuted, gathered(tensor, last, order));
    return permuted;
  });
  const isWhole = inputs.every((name, index) => name !== undefined || !node.inputs[index]);
  return isWhole ? { ...node, inputs } : undefined;
}
