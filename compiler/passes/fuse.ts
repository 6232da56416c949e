import { slopeOf } from "../ir/expression-derivative.js";
import { countOperations, leaves, substitute } from "../ir/expression-transform.js";
import { simplify } from "../ir/expression-simplify.js";
import { channel, operand, type Expression } from "../ir/expression.js";
import type { AnyNode, Fused, Graph, LabelRule, Node, OpKind, Value } from "../ir/graph.js";
import { MOST_BINDINGS } from "../../program/limits.js";
import { ConvolutionGeometry } from "../layout/geometry.js";
import { normalizeExpression } from "../ir/normalize-expression.js";
import { Uses } from "../ir/uses.js";

/**
 * Joins ops that can share a kernel. The graph computes the same; fewer values travel through memory:
 *
 * - loss, gradient of the loss and top-k hits of the same logits: one pass over the logits
 * - max pooling and the ReLU behind it; in its gradient the ReLU's mask is part of the winner's code
 * - a pointwise op joins the op that makes its input (bias, ReLU, dropout, masks of gradients: epilogues), or the
 *   channel window or the max pooling that reads it (prologue)
 *
 * - an update joins the op that makes its gradient, which is then never stored, and a bias's update that of its weights
 *
 * Updates move up to the place where their gradient is ready and nobody reads the weights any more, so that gradients live shortly.
 */
export function fuse(graph: Graph, { keepGradients = false }: FuseOptions = {}): Graph {
  const rewrites = [
    ...[
      exposeExpressions,
      fuseClassification,
      fusePoolRelu,
      fuseEpilogues,
      fusePrologues,
      placeUpdates,
    ],
    ...(keepGradients ? [] : [fuseUpdates, fuseBiases]),
  ];
  return rewrites.reduce<Graph>(
    (current, rewrite) => ({ ...current, nodes: rewrite(current) }),
    graph,
  );
}

export interface FuseOptions {
  /** Leaves gradients to be read after a step, and updates by themselves. */
  readonly keepGradients?: boolean;
}

type Rewrite = (graph: Graph) => readonly AnyNode[];

function isKind<Kind extends OpKind>(
  node: AnyNode | undefined,
  kind: Kind,
): node is AnyNode & Node<Kind> {
  return node?.kind === kind;
}

/** Replaces nodes: `undefined` drops one. */
function rewriteNodes(
  nodes: readonly AnyNode[],
  replacements: ReadonlyMap<AnyNode, AnyNode | undefined>,
): readonly AnyNode[] {
  return nodes.flatMap((node) => {
    if (!replacements.has(node)) return [node];
    const replacement = replacements.get(node);
    return replacement ? [replacement] : [];
  });
}

/** An op with a gradient of its own that is pointwise all the same, so that it joins its neighbours. */
const exposeExpressions: Rewrite = ({ nodes }) =>
  nodes.map((node) =>
    isKind(node, "normalize")
      ? { ...node, kind: "pointwise", attributes: { expression: normalizeExpression(node) } }
      : node,
  );

const fuseClassification: Rewrite = ({ nodes }) => {
  const replacements = new Map<AnyNode, AnyNode | undefined>();
  for (const loss of nodes) {
    if (!isKind(loss, "crossEntropy") || replacements.has(loss)) continue;
    const isFree = (node: AnyNode) => readsAsMuch(node, loss) && !replacements.has(node);
    const room = MOST_BINDINGS - loss.inputs.length - loss.outputs.length - 1;
    const hits = nodes.filter((node) => isKind(node, "accuracy") && isFree(node)).slice(0, room);
    const gradient = nodes.find(
      (node): node is AnyNode & Node<"crossEntropyGradient"> =>
        isKind(node, "crossEntropyGradient") &&
        isFree(node) &&
        sameRule(node.attributes, loss.attributes),
    );
    if (hits.length === 0 && !gradient) continue;
    const members = [loss, ...hits, ...(gradient ? [gradient] : [])];
    for (const member of members) replacements.set(member, undefined);
    replacements.set(loss, {
      kind: "classification",
      inputs: loss.inputs,
      outputs: members.flatMap((member) => member.outputs),
      attributes: {
        ...loss.attributes,
        topK: hits.map((node) => (node as Node<"accuracy">).attributes.k),
        gradient: gradient !== undefined,
        weight: gradient?.attributes.weight ?? 1,
      },
      origin: loss.origin,
    });
  }
  return rewriteNodes(nodes, replacements);
};

/** Whether a node is of the same logits and labels. Hits do not ask for the partners of mixed images. */
function readsAsMuch({ inputs, kind }: AnyNode, loss: AnyNode): boolean {
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

const fusePoolRelu: Rewrite = (graph) => {
  const uses = new Uses(graph);
  const replacements = new Map<AnyNode, AnyNode | undefined>();
  for (const pool of graph.nodes) {
    if (!isKind(pool, "maxPool")) continue;
    const [pooled, code] = pool.outputs;
    const relu = uses.readers(pooled!)[0];
    if (!relu || !isRelu(relu) || !uses.isReadOnlyBy(pooled!, relu)) continue;
    const result = relu.outputs[0]!;
    replacements.set(relu, undefined);
    replacements.set(pool, {
      ...pool,
      outputs: [result, code!],
      attributes: { ...pool.attributes, relu: true },
    });
    for (const gradient of uses.readers(code!)) {
      const unmasked = withoutMask(gradient, result, uses);
      if (unmasked) {
        replacements.set(unmasked.mask, undefined);
        replacements.set(gradient, unmasked.gradient);
      }
    }
  }
  return rewriteNodes(graph.nodes, replacements);
};

/** The gradient of a pooling that reads `gradient * positive(result)`, reading the gradient itself: the code holds the mask. */
function withoutMask(
  node: AnyNode,
  result: Value,
  uses: Uses,
): { mask: AnyNode; gradient: AnyNode } | undefined {
  if (!isKind(node, "maxPoolGradient")) return undefined;
  const masked = node.inputs[0]!;
  const mask = uses.maker(masked);
  if (!mask || !isKind(mask, "pointwise") || !uses.isReadOnlyBy(masked, node)) return undefined;
  const source = maskedOperand(mask.attributes.expression, mask.inputs.indexOf(result));
  if (source === undefined) return undefined;
  const inputs = [mask.inputs[source]!, ...node.inputs.slice(1)];
  return { mask, gradient: { ...node, inputs } };
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

/** Ops that can finish their result with an expression. */
const WITH_EPILOGUE = new Set<OpKind>([
  "convolution",
  "convolutionInputGradient",
  "maxPoolGradient",
  "averagePool",
  "averagePoolGradient",
  "resample",
  "resampleGradient",
  "channelWindowSum",
]);

const fuseEpilogues: Rewrite = (graph) => {
  let nodes = graph.nodes;
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]!;
    if (!isKind(node, "pointwise")) continue;
    const uses = new Uses({ ...graph, nodes });
    const joined = joinWithMaker(node, uses);
    if (!joined) continue;
    nodes = rewriteNodes(
      nodes,
      new Map([
        [joined.maker, undefined],
        [node, joined.node],
      ]),
    );
    index -= 2; // the joined node may join its own maker; one node before it is gone
  }
  return nodes;
};

/** The pointwise node and the node that makes one of its operands as one node, in the pointwise node's place. */
function joinWithMaker(
  node: Node<"pointwise">,
  uses: Uses,
): { maker: AnyNode; node: AnyNode } | undefined {
  for (const [index, input] of node.inputs.entries()) {
    const maker = uses.maker(input);
    if (!maker || !uses.isReadOnlyBy(input, node)) continue;
    if (maker.outputs.length !== 1 || readsByChannel(node.attributes.expression, index)) continue;
    const isPointwise = maker.kind === "pointwise";
    if (!isPointwise && !WITH_EPILOGUE.has(maker.kind)) continue;
    if (isTooLarge(maker, node, index)) continue;
    const joined = isPointwise
      ? joinPointwise(maker, node, index)
      : joinEpilogue(maker, node, index);
    if (joined.inputs.length + joined.outputs.length <= MOST_BINDINGS) {
      return { maker, node: joined };
    }
  }
  return undefined;
}

/** Operations of one expression: `x + x` of itself, time and again, would double them each time. */
const MOST_OPERATIONS = 256;

function isTooLarge(maker: AnyNode, outer: Node<"pointwise">, index: number): boolean {
  const { expression, epilogue } = maker.attributes as {
    expression?: Expression;
    epilogue?: Fused;
  };
  const inner = maker.kind === "pointwise" ? expression : epilogue?.expression;
  if (!inner) return false;
  const reads = leaves(outer.attributes.expression).filter((leaf) => leaf.index === index).length;
  const size = countOperations(outer.attributes.expression) + reads * countOperations(inner);
  return size > MOST_OPERATIONS;
}

const readsByChannel = (expression: Expression, index: number) =>
  leaves(expression).some((leaf) => leaf.kind === "channel" && leaf.index === index);

/** The expression of `outer` with the operand `index` replaced by `inner` and the others renumbered to their place in `inputs`. */
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

function joinPointwise(inner: AnyNode, outer: Node<"pointwise">, index: number): AnyNode {
  const innerNode = inner as Node<"pointwise">;
  const inputs = [...new Set([...inner.inputs, ...outer.inputs.filter((_, i) => i !== index)])];
  const expression = compose(outer, index, innerNode.attributes.expression, (value) =>
    inputs.indexOf(value),
  );
  return { ...outer, inputs, attributes: { expression } };
}

/** Inputs that an op reads apart from its epilogue's. */
const ownInputs = (node: AnyNode) => {
  const { epilogue } = node.attributes as { epilogue?: Fused };
  return epilogue ? epilogue.first : node.inputs.length;
};

function joinEpilogue(maker: AnyNode, outer: Node<"pointwise">, index: number): AnyNode {
  const first = ownInputs(maker);
  const { epilogue } = maker.attributes as { epilogue?: Fused };
  const others = outer.inputs.filter((_, i) => i !== index);
  const extras = [...new Set([...maker.inputs.slice(first), ...others])];
  const expression = compose(
    outer,
    index,
    epilogue?.expression ?? operand(0),
    (value) => extras.indexOf(value) + 1,
  );
  return {
    ...maker,
    inputs: [...maker.inputs.slice(0, first), ...extras],
    outputs: outer.outputs,
    attributes: { ...maker.attributes, epilogue: { expression, first } },
  } as AnyNode;
}

/** A pointwise function of one value, read only by a window that can do so, is computed where the window reads. */
const fusePrologues: Rewrite = (graph) => {
  const uses = new Uses(graph);
  const replacements = new Map<AnyNode, AnyNode | undefined>();
  for (const node of graph.nodes) {
    const [input, ...others] = node.inputs;
    const maker = input && uses.maker(input);
    if (!maker || !isKind(maker, "pointwise") || !uses.isReadOnlyBy(input, node)) continue;
    if (!takesPrologue(node, maker)) continue;
    replacements.set(maker, undefined);
    replacements.set(node, {
      ...node,
      inputs: [...maker.inputs, ...others],
      attributes: {
        ...node.attributes,
        prologue: { expression: maker.attributes.expression, first: 1 },
      },
    } as AnyNode);
  }
  return rewriteNodes(graph.nodes, replacements);
};

function takesPrologue(
  node: AnyNode,
  { inputs, attributes: { expression } }: Node<"pointwise">,
): boolean {
  if (isKind(node, "channelWindowSum")) return !node.attributes.prologue && inputs.length === 1;
  if (!isKind(node, "maxPool") || node.attributes.prologue) return false;
  const [, ...vectors] = inputs;
  const areVectors = vectors.every(({ shape }) => shape.length === 1);
  return areVectors && slopeOf(expression) !== undefined && inputs.length + 2 <= MOST_BINDINGS;
}

/** Whether an update needs the gradients of all parameters. */
const waitsForAll = ({ attributes: { clipsNorm, skips } }: Node<"update">) => clipsNorm || skips;

/** A gradient that only an update reads is applied by the op that makes it, where the update stands: no reader of the weights is left. */
const fuseUpdates: Rewrite = (graph) => {
  const uses = new Uses(graph);
  const replacements = new Map<AnyNode, AnyNode | undefined>();
  for (const update of graph.nodes) {
    if (!isKind(update, "update") || waitsForAll(update)) continue;
    const [weights, gradient, ...states] = update.inputs as [Value, Value, ...Value[]];
    const maker = uses.maker(gradient);
    if (maker?.kind !== "convolutionWeightGradient" && maker?.kind !== "channelSum") continue;
    if (!uses.isReadOnlyBy(gradient, update) || isDirect(maker)) continue;
    replacements.set(maker, undefined);
    replacements.set(update, {
      ...maker,
      inputs: [...maker.inputs, weights, ...states],
      outputs: [],
      attributes: { ...maker.attributes, update: update.attributes },
    } as AnyNode);
  }
  return rewriteNodes(graph.nodes, replacements);
};

/** A bias's gradient is a sum of what its weights' gradient reads anyway. */
const fuseBiases: Rewrite = ({ nodes }) => {
  const replacements = new Map<AnyNode, AnyNode | undefined>();
  for (const bias of nodes) {
    if (!isKind(bias, "channelSum") || !bias.attributes.update) continue;
    const weights = nodes.find(
      (node): node is AnyNode & Node<"convolutionWeightGradient"> =>
        isKind(node, "convolutionWeightGradient") &&
        node.inputs[1] === bias.inputs[0] &&
        node.attributes.update !== undefined &&
        !replacements.has(node),
    );
    const inputs = [...(weights?.inputs ?? []), ...bias.inputs.slice(1)];
    if (!weights || inputs.length > MOST_BINDINGS) continue;
    replacements.set(bias, undefined);
    replacements.set(weights, {
      ...weights,
      inputs,
      attributes: { ...weights.attributes, biasUpdate: bias.attributes.update },
    });
  }
  return rewriteNodes(nodes, replacements);
};

/** Whether a weight gradient takes the direct form, whose kernel stores scalars. */
function isDirect(node: AnyNode): boolean {
  if (node.kind !== "convolutionWeightGradient") return false;
  const [input, gradient] = node.inputs;
  return new ConvolutionGeometry(node.attributes, input!.shape, gradient!.shape).isDirect;
}

const placeUpdates: Rewrite = ({ nodes }) => {
  const others: AnyNode[] = nodes.filter((node) => node.kind !== "update");
  for (const update of nodes) {
    if (update.kind !== "update") continue;
    const [weights, ...made] = update.inputs;
    const last = others.findLastIndex(
      (node) =>
        node.inputs.includes(weights!) || node.outputs.some((output) => made.includes(output)),
    );
    others.splice(last + 1, 0, update);
  }
  return others;
};
