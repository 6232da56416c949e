import { slopeOf } from "../ir/expression-derivative.js";
import { contains, countOperations, leaves, substitute } from "../ir/expression-transform.js";
import { simplify } from "../ir/expression-simplify.js";
import { channel, operand, type Expression } from "../ir/expression.js";
import { canFuse, readsOf, type Fusion } from "../ir/fusion.js";
import type { AnyNode, Graph, LabelRule, Node, OpKind, Value } from "../ir/graph.js";
import { MOST_BINDINGS } from "../../program/limits.js";
import { isLayerwise } from "../../program/optimizers.js";
import { geometryOf } from "../layout/geometry.js";
import { joinedChannels } from "../layout/joined-channels.js";
import { isMove, isTaking } from "../layout/moves.js";
import { orderOf } from "../ir/rearrangement.js";
import { normalizeExpression } from "../ir/normalize-expression.js";
import type { Uses } from "../ir/uses.js";
import { GraphEditor, type Joined } from "./graph-editor.js";
import { rewriteWith, type Rule, type Rules } from "./rewrite.js";

/**
 * Joins ops that can share a kernel. The graph computes the same; fewer values travel through
 * memory:
 *
 * - loss, gradient of the loss and top-k hits of the same logits: one pass over the logits
 * - max pooling and the ReLU behind it; in its gradient the ReLU's mask is part of the winner's
 *   code
 * - a pointwise op joins the op that makes its input (bias, ReLU, dropout, masks of gradients:
 *   epilogues), or the channel window, the max pooling or the move that reads it (prologue)
 *
 * - a concatenation joins the move of channels that alone reads it
 * - an update joins the op that makes its gradient, which is then never stored, and a bias's update
 *   that of its weights
 *
 * Updates move up to the place where their gradient is ready and nothing reads the weights any
 * more, so that gradients are short-lived.
 */
export function fuse(graph: Graph, { keepGradients = false }: FuseOptions = {}): Graph {
  const placed = placeUpdates(rewriteBy(graph, JOINED_OPS));
  return keepGradients ? placed : rewriteBy(placed, JOINED_UPDATES);
}

export interface FuseOptions {
  /** Leaves gradients to be read after a step, and updates by themselves. */
  readonly keepGradients?: boolean;
}

const rewriteBy = (graph: Graph, tables: readonly Rules[]): Graph =>
  tables.reduce(rewriteWith, new GraphEditor(graph)).finish();

function isKind<Kind extends OpKind>(
  node: AnyNode | undefined,
  kind: Kind,
): node is AnyNode & Node<Kind> {
  return node?.kind === kind;
}

/**
 * A pointwise op with a separate gradient, so that it still fuses with its neighbors.
 */
const exposeExpression: Rule<"normalize"> = (node) => [
  [node, { ...node, kind: "pointwise", attributes: { expression: normalizeExpression(node) } }],
];

const fuseClassification: Rule<"crossEntropy"> = (loss, uses) => {
  const readers = uses.readers(loss.inputs[0]!).filter((node) => readsAsMuch(node, loss));
  const room = MOST_BINDINGS - loss.inputs.length - loss.outputs.length - 1;
  const hits = readers.filter((node) => isKind(node, "accuracy")).slice(0, room);
  const gradient = readers.find(
    (node): node is AnyNode & Node<"crossEntropyGradient"> =>
      isKind(node, "crossEntropyGradient") && sameRule(node.attributes, loss.attributes),
  );
  const others = [...hits, ...(gradient ? [gradient] : [])];
  if (others.length === 0) return undefined;
  const classification: Node<"classification"> = {
    kind: "classification",
    inputs: loss.inputs,
    outputs: [loss, ...others].flatMap((member) => member.outputs),
    attributes: {
      ...loss.attributes,
      topK: hits.map((node) => node.attributes.k),
      gradient: gradient !== undefined,
      weight: gradient?.attributes.weight ?? 1,
    },
    origin: loss.origin,
  };
  return [[loss, classification], ...others.map(removed)];
};

/** Leaves a node's place empty. */
const removed = (node: AnyNode) => [node, undefined] as const;

/**
 * Whether a node is of the same logits and labels. Hits do not ask for the partners of mixed
 * images.
 */
function readsAsMuch({ inputs, kind }: AnyNode, loss: Node): boolean {
  const wanted = kind === "accuracy" ? loss.inputs.slice(0, 2) : loss.inputs;
  return inputs.length === wanted.length && inputs.every((input, at) => input === wanted[at]);
}

/** A gradient keeps its loss's weights as they are: one list. */
function sameRule(gradient: LabelRule, loss: LabelRule): boolean {
  return gradient.smoothing === loss.smoothing && gradient.classWeights === loss.classWeights;
}

/** relu(operand 0), and nothing else. */
function isRelu(node: AnyNode): boolean {
  if (!isKind(node, "pointwise")) return false;
  const { expression } = node.attributes;
  return (
    expression.kind === "unary" &&
    expression.operator === "relu" &&
    expression.argument.kind === "operand"
  );
}

const isUnpool = ({ kind }: AnyNode) => kind === "maxUnpool" || kind === "maxUnpoolGradient";

const fusePoolRelu: Rule<"maxPool"> = (pool, uses) => {
  const [pooled, code] = pool.outputs;
  const relu = uses.readers(pooled!)[0];
  if (!relu || !isRelu(relu) || !uses.isReadOnlyBy(pooled!, relu)) return undefined;
  // Another value takes the places of winners, also of those that ReLU cuts.
  if (uses.readers(code!).some((node) => isUnpool(node))) return undefined;
  const result = relu.outputs[0]!;
  const masked = uses.readers(code!).flatMap((node) => withoutMask(node, result, uses));
  const attributes = { ...pool.attributes, relu: true };
  return [[pool, { ...pool, outputs: [result, code!], attributes }], removed(relu), ...masked];
};

/**
 * The gradient of a pooling that reads `gradient * positive(result)`, reading the gradient itself:
 * the code holds the mask.
 */
function withoutMask(node: AnyNode, result: Value, uses: Uses): Joined {
  if (!isKind(node, "maxPoolGradient")) return [];
  const masked = node.inputs[0]!;
  const mask = uses.maker(masked);
  if (!mask || !isKind(mask, "pointwise") || !uses.isReadOnlyBy(masked, node)) return [];
  const source = maskedOperand(mask.attributes.expression, mask.inputs.indexOf(result));
  if (source === undefined) return [];
  const inputs = [mask.inputs[source]!, ...node.inputs.slice(1)];
  return [removed(mask), [node, { ...node, inputs }]];
}

/** The index of x in `x * positive(operand mask)`. */
function maskedOperand(expression: Expression, mask: number): number | undefined {
  if (expression.kind !== "binary" || expression.operator !== "multiply") return undefined;
  const { left, right } = expression;
  const isMask = (side: Expression) =>
    side.kind === "unary" &&
    side.operator === "positive" &&
    side.argument.kind === "operand" &&
    side.argument.index === mask;
  const value = isMask(left) ? right : isMask(right) ? left : undefined;
  return value?.kind === "operand" ? value.index : undefined;
}

/**
 * A pointwise node and the node that makes one of its operands are one node, in the pointwise
 * node's place.
 */
const fuseEpilogue: Rule<"pointwise"> = (node, uses) => {
  for (const [index, input] of node.inputs.entries()) {
    const maker = uses.maker(input);
    if (!maker || !uses.isReadOnlyBy(input, node)) continue;
    if (maker.outputs.length !== 1 || readsByChannel(node.attributes.expression, index)) continue;
    const isPointwise = maker.kind === "pointwise";
    if (!isPointwise && !takesEpilogue(maker)) continue;
    if (isTooLarge(maker, node, index)) continue;
    const joined = isPointwise
      ? joinPointwise(maker, node, index)
      : joinEpilogue(maker, node, index);
    if (readsOf(joined).length + joined.outputs.length <= MOST_BINDINGS) {
      return [removed(maker), [node, joined]];
    }
  }
  return undefined;
};

/**
 * A move that has a kernel takes what reads its result, and so nothing is moved by itself. Where
 * several nodes read it, it is moved once, since its elements lie in lines for them then.
 */
const takesEpilogue = (node: AnyNode): boolean =>
  canFuse(node.kind, "epilogue") && (!isMove(node) || isTaking(node));

/**
 * A function of single elements that only a move reads is computed by the kernel of the move. What
 * counts elements, as dropout does, counts them where they were.
 */
const fuseBeforeMove: Rule<"rearrange" | "rearrangeGradient"> = (node, uses) => {
  const [input] = node.inputs;
  const maker = uses.maker(input!);
  if (!isKind(maker, "pointwise") || !uses.isReadOnlyBy(input!, node)) return undefined;
  const { expression: inner } = maker.attributes;
  if (maker.inputs.length > 1 || contains(inner, isOfPlace) || !isTaking(node)) return undefined;
  const { expression: outer = operand(0), operands = [] } = node.fusion?.epilogue ?? {};
  const expression = simplify(substitute(outer, (leaf) => (leaf.index === 0 ? inner : leaf)));
  if (countOperations(expression) > MOST_OPERATIONS) return undefined;
  const joined = fused(node, { epilogue: { expression, operands } });
  return [removed(maker), [node, { ...joined, inputs: maker.inputs }]];
};

/**
 * Channels that are joined only to be brought into another order, as by `channel_shuffle`, are read
 * where they are: the concatenation is not stored.
 */
const joinBeforeMove: Rule<"rearrange" | "rearrangeGradient"> = (node, uses) => {
  const [whole] = node.inputs;
  const join = uses.maker(whole!);
  if (!isKind(join, "concatenate") || join.attributes.axis) return undefined;
  const readers = uses.readers(whole!);
  if (!uses.isReadOnlyBy(whole!, ...readers)) return undefined;
  if (!readers.every((reader) => joinsChannels(reader, join))) return undefined;
  const joined: AnyNode = {
    ...node,
    kind: "joinChannels",
    inputs: join.inputs,
    attributes: orderOf(node)!,
  };
  return readers.length > 1 ? [[node, joined]] : [removed(join), [node, joined]];
};

function joinsChannels(node: AnyNode, { inputs, outputs }: Node<"concatenate">): boolean {
  const order = isMove(node) ? orderOf(node) : undefined;
  const [whole] = outputs as [Value];
  if (!order || !joinedChannels(order, inputs, whole.shape)) return false;
  // A sum of what is moved with what is not needs that, too.
  if (readsOf(node).filter((value) => value === whole).length > 1) return false;
  return readsOf(node).length - 1 + inputs.length + node.outputs.length <= MOST_BINDINGS;
}

const isOfPlace = ({ kind }: Expression) =>
  kind === "keep" || kind === "noise" || kind === "channel";

/** Operations of one expression: `x + x` of itself, time and again, would double them each time. */
const MOST_OPERATIONS = 256;

function isTooLarge(maker: AnyNode, outer: Node<"pointwise">, index: number): boolean {
  const { expression: inner } =
    maker.kind === "pointwise" ? maker.attributes : (maker.fusion?.epilogue ?? {});
  if (!inner) return false;
  const reads = leaves(outer.attributes.expression).filter((leaf) => leaf.index === index).length;
  const size = countOperations(outer.attributes.expression) + reads * countOperations(inner);
  return size > MOST_OPERATIONS;
}

const readsByChannel = (expression: Expression, index: number) =>
  leaves(expression).some((leaf) => leaf.kind === "channel" && leaf.index === index);

/**
 * The expression of `outer` with the operand `index` replaced by `inner` and the others renumbered
 * to their place in `inputs`.
 */
function compose(
  outer: Node<"pointwise">,
  index: number,
  inner: Expression,
  place: (value: Value) => number,
): Expression {
  return simplify(
    substitute(outer.attributes.expression, (leaf) => {
      if (leaf.index === index) return inner;
      const at = place(outer.inputs[leaf.index]!);
      return leaf.kind === "operand" ? operand(at) : channel(at);
    }),
  );
}

/** The node with more fused into it. */
const fused = <Fusing extends AnyNode>(node: Fusing, more: Fusion): Fusing => ({
  ...node,
  fusion: { ...node.fusion, ...more },
});

function joinPointwise(inner: AnyNode, outer: Node<"pointwise">, index: number): AnyNode {
  const innerNode = inner as Node<"pointwise">;
  const inputs = [...new Set([...inner.inputs, ...outer.inputs.filter((_, i) => i !== index)])];
  const expression = compose(outer, index, innerNode.attributes.expression, (value) =>
    inputs.indexOf(value),
  );
  return { ...outer, inputs, attributes: { expression } };
}

function joinEpilogue(maker: AnyNode, outer: Node<"pointwise">, index: number): AnyNode {
  const { epilogue } = maker.fusion ?? {};
  const others = outer.inputs.filter((_, i) => i !== index);
  const operands = [...new Set([...(epilogue?.operands ?? []), ...others])];
  const expression = compose(
    outer,
    index,
    epilogue?.expression ?? operand(0),
    (value) => operands.indexOf(value) + 1,
  );
  const finished = fused(maker, { epilogue: { expression, operands } });
  return { ...finished, outputs: outer.outputs };
}

/**
 * A pointwise function of one value, read only by a window that can do so, is computed where the
 * window reads.
 */
const fusePrologue: Rule<"channelWindowSum" | "maxPool"> = (node, uses) => {
  const [input] = node.inputs;
  const maker = uses.maker(input!);
  if (!isKind(maker, "pointwise") || !uses.isReadOnlyBy(input!, node)) return undefined;
  if (!takesPrologue(node, maker)) return undefined;
  const [source, ...operands] = maker.inputs as [Value, ...Value[]];
  const { expression } = maker.attributes;
  const joined = fused(node, { prologue: { expression, operands } });
  return [removed(maker), [node, { ...joined, inputs: [source] }]];
};

function takesPrologue(
  { kind, fusion }: Node<"channelWindowSum" | "maxPool">,
  { inputs, attributes: { expression } }: Node<"pointwise">,
): boolean {
  if (fusion?.prologue) return false;
  if (kind === "channelWindowSum") return inputs.length === 1;
  const [, ...vectors] = inputs;
  const areVectors = vectors.every(({ shape }) => shape.length === 1);
  return areVectors && slopeOf(expression) !== undefined && inputs.length + 2 <= MOST_BINDINGS;
}

/** Whether an update needs more than one element of one gradient at a time. */
const waitsForAll = ({ attributes: { clipsNorm, skips, optimizer } }: Node<"update">) =>
  clipsNorm || skips || isLayerwise(optimizer);

/**
 * A gradient that only an update reads is applied by the op that makes it, where the update is: no
 * reader of the weights is left.
 */
const fuseUpdate: Rule<"update"> = (update, uses) => {
  if (waitsForAll(update)) return undefined;
  const [parameter, gradient, ...states] = update.inputs as [Value, Value, ...Value[]];
  const maker = uses.maker(gradient);
  if (!maker || !canFuse(maker.kind, "updates")) return undefined;
  if (!uses.isReadOnlyBy(gradient, update) || isDirect(maker)) return undefined;
  const joined = fused(maker, { updates: [{ parameter, states, rule: update.attributes }] });
  return [removed(maker), [update, { ...joined, outputs: [] }]];
};

/** A bias's gradient is a sum of what its weights' gradient reads anyway. */
const fuseBias: Rule<"channelSum"> = (bias, uses) => {
  const [update] = bias.fusion?.updates ?? [];
  const [gradient] = bias.inputs;
  if (!update) return undefined;
  const weights = uses
    .readers(gradient!)
    .find(
      ({ kind, inputs, fusion }) =>
        kind === "convolutionWeightGradient" &&
        inputs[1] === gradient &&
        fusion?.updates?.length === 1,
    );
  if (!weights) return undefined;
  const joined = fused(weights, { updates: [...weights.fusion!.updates!, update] });
  if (readsOf(joined).length > MOST_BINDINGS) return undefined;
  return [removed(bias), [weights, joined]];
};

/** Whether a weight gradient takes the direct form, whose kernel stores scalars. */
const isDirect = (node: AnyNode): boolean =>
  node.kind === "convolutionWeightGradient" && geometryOf(node).isDirect;

/**
 * Each update behind the last node that reads its weights or makes what it reads; the later of two
 * in one place comes first.
 */
function placeUpdates(graph: Graph): Graph {
  const others = graph.nodes.filter((node) => node.kind !== "update");
  const [lastRead, made] = [new Map<Value, number>(), new Map<Value, number>()];
  others.forEach((node, index) => {
    for (const value of readsOf(node)) lastRead.set(value, index);
    for (const value of node.outputs) made.set(value, index);
  });
  const behind = new Map<number, AnyNode[]>();
  for (const update of graph.nodes) {
    if (update.kind !== "update") continue;
    const [weights, ...read] = update.inputs as [Value, ...Value[]];
    const places = [lastRead.get(weights), ...read.map((value) => made.get(value))];
    const last = Math.max(-1, ...places.map((place) => place ?? -1));
    behind.set(last, [update, ...(behind.get(last) ?? [])]);
  }
  const nodes = others.flatMap((node, index) => [node, ...(behind.get(index) ?? [])]);
  return { ...graph, nodes: [...(behind.get(-1) ?? []), ...nodes] };
}

const JOINED_OPS: readonly Rules[] = [
  { normalize: [exposeExpression] },
  { crossEntropy: [fuseClassification] },
  { maxPool: [fusePoolRelu] },
  { pointwise: [fuseEpilogue] },
  { channelWindowSum: [fusePrologue], maxPool: [fusePrologue] },
  { rearrange: [fuseBeforeMove], rearrangeGradient: [fuseBeforeMove] },
  { rearrange: [joinBeforeMove], rearrangeGradient: [joinBeforeMove] },
];

const JOINED_UPDATES: readonly Rules[] = [{ update: [fuseUpdate] }, { channelSum: [fuseBias] }];
