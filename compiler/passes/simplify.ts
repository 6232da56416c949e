import { simplify as simplifyExpression } from "../ir/expression-simplify.js";
import {
  compactInputs,
  leaves,
  readsChannel,
  sameExpression,
  withoutStops,
} from "../ir/expression-transform.js";
import type { Expression } from "../ir/expression.js";
import type {
  AnyNode,
  AverageAttributes,
  Graph,
  Node,
  PoolAttributes,
  Value,
} from "../ir/graph.js";
import { sameShape } from "../ir/shape.js";
import { addPointwise } from "../ops/add-pointwise.js";
import { fewerMoves } from "./fewer-moves.js";
import { joinGradients } from "./join-gradients.js";
import { rewrite, type Rule, type Rules } from "./rewrite.js";

/**
 * Constants are computed, neutral elements and inputs not read vanish, and so do nodes that only
 * pass a value on.
 */
const simplerExpression: Rule<"pointwise"> = (node) => {
  const { expression } = compactInputs(node.inputs, simplifyExpression(node.attributes.expression));
  const readsOperand = leaves(expression).some(({ kind }) => kind === "operand");
  const isAsSimple = sameExpression(expression, node.attributes.expression);
  if (!readsOperand || (isAsSimple && expression.kind !== "operand")) return undefined;
  return (builder) => [addPointwise(builder, node.inputs, node.attributes.expression, node.origin)];
};

/** Reshaping twice is reshaping once; to the same shape, it is nothing. */
const singleReshape: Rule<"reshape"> = (node, uses) => {
  const [input] = node.inputs;
  const { shape } = node.attributes;
  if (sameShape(input!.shape, shape)) return () => [input!];
  const before = uses.maker(input!);
  if (before?.kind !== "reshape") return undefined;
  return (builder) => [builder.add("reshape", before.inputs, { shape }, node.origin)];
};

/** Zeros around an image that a convolution reads become its padding. */
const padInConvolution: Rule<"convolution"> = (node, uses) => {
  if (node.inputs[1]!.shape.length !== 4) return undefined;
  const pad = uses.maker(node.inputs[0]!);
  if (pad?.kind !== "averagePool" || !isPad(pad.attributes)) return undefined;
  const [inner, outer] = [node.attributes.padding, pad.attributes.padding];
  const padding = {
    top: inner.top + outer.top,
    bottom: inner.bottom + outer.bottom,
    left: inner.left + outer.left,
    right: inner.right + outer.right,
  };
  const inputs = [pad.inputs[0]!, ...node.inputs.slice(1)];
  const attributes = { ...node.attributes, padding };
  return (builder) => [builder.add("convolution", inputs, attributes, node.origin)];
};

/** Whether windows have a single element, so that only padding changes anything. */
function isPad(attributes: AverageAttributes): attributes is AverageAttributes & PoolAttributes {
  if (attributes.windows !== "sliding" || !attributes.countPadding) return false;
  return [...attributes.kernel, ...attributes.stride].every((size) => size === 1);
}

/**
 * relu and maximum commute. Pooling first leaves fewer elements to rectify, and the large value
 * before the pool need not be kept for the backward pass, which asks for the sign of the pooled
 * value alone.
 */
const poolBeforeRelu: Rule<"maxPool"> = (node, uses) => {
  const [y, code] = node.outputs;
  const relu = uses.maker(node.inputs[0]!);
  if (relu?.kind !== "pointwise" || !isRelu(relu.attributes.expression)) return undefined;
  // Where all of a window is negative the codes differ, so nothing may have read them yet.
  if (uses.readers(code!).length > 0) return undefined;
  if (!uses.isReadOnlyBy(relu.outputs[0]!, node)) return undefined;
  return (builder) => {
    const pooled = builder.addAll("maxPool", relu.inputs, node.attributes, y!.origin);
    return [builder.add("pointwise", [pooled[0]!], relu.attributes, relu.origin), pooled[1]!];
  };
};

function isRelu(expression: Expression): boolean {
  return (
    expression.kind === "unary" &&
    expression.operator === "relu" &&
    expression.argument.kind === "operand"
  );
}

/**
 * What works on each element for itself works before a reshape as well: reshapes sink until they
 * meet the convolution that absorbs them. Dropout then counts its elements in the shape before,
 * which is as random.
 */
const reshapeAfterPointwise: Rule<"pointwise"> = (node, uses) => {
  if (readsChannel(node.attributes.expression)) return undefined;
  const reshapes = node.inputs.map((input) => uses.maker(input));
  if (!reshapes.every(isReshape)) return undefined;
  const sources = reshapes.map((reshape) => reshape.inputs[0]!);
  if (!sources.every(({ shape }) => sameShape(shape, sources[0]!.shape))) return undefined;
  return (builder) => {
    const result = builder.add("pointwise", sources, node.attributes, node.origin);
    const { shape } = node.outputs[0]!;
    return [builder.add("reshape", [result], { shape }, reshapes[0]!.origin)];
  };
};

function isReshape(node: AnyNode | undefined): node is Node<"reshape"> {
  return node?.kind === "reshape";
}

/**
 * A linear layer on a flattened image is a convolution whose kernel covers the image: the weights
 * lie in the same order, and no element has to be moved.
 */
const linearOnImage: Rule<"convolution"> = (node, uses) => {
  if (!isLinear(node)) return undefined;
  const reshape = uses.maker(node.inputs[0]!);
  const image = isReshape(reshape) ? reshape.inputs[0]! : undefined;
  const [, , height, width] = image?.shape ?? [];
  // A single pixel has nothing to move: there the reshape is only another name for the value.
  if (!image || typeof height !== "number" || typeof width !== "number") return undefined;
  if (height * width === 1) return undefined;
  const kernel = [height, width] as const;
  const inputs = [image, ...node.inputs.slice(1)];
  return (builder) => [
    builder.add("convolution", inputs, { ...node.attributes, kernel }, node.origin),
  ];
};

function isLinear({ inputs, attributes }: Node<"convolution">): boolean {
  const [height, width] = attributes.kernel;
  return (
    inputs[0]!.shape.length === 2 &&
    inputs[1]!.shape.length === 2 &&
    height * width === 1 &&
    attributes.groups === 1
  );
}

/**
 * Behind dropout, d = r * keep, the gradient through r = relu(...) is dd * keep * positive(r).
 * Where keep is 0 the product is 0 whatever the sign; elsewhere d is positive where r is. So d,
 * which the next layer keeps anyway, serves for the sign, and r need not outlive the forward pass.
 */
const signAfterDropout: Rule<"pointwise"> = (node, uses) => {
  const match = matchMasked(node);
  const gradientKeep = match && keepFactorOf(uses.maker(match.gradient));
  if (!gradientKeep) return undefined;
  const dropout = uses.readers(match.sign).find((reader) => {
    const keep = isScaled(reader, match.sign) ? keepFactorOf(reader) : undefined;
    return keep !== undefined && sameExpression(keep, gradientKeep);
  });
  if (!dropout || !uses.isReadOnlyBy(match.sign, node, dropout)) return undefined;
  const inputs = node.inputs.map((input) => (input === match.sign ? dropout.outputs[0]! : input));
  return (builder) => [builder.add("pointwise", inputs, node.attributes, node.origin)];
};

/** `gradient * positive(sign)`, the form that relu's gradient has. */
function matchMasked({
  inputs,
  attributes: { expression },
}: Node<"pointwise">): { readonly gradient: Value; readonly sign: Value } | undefined {
  if (expression.kind !== "binary" || expression.operator !== "multiply") return undefined;
  const { left, right } = expression;
  if (left.kind !== "operand" || right.kind !== "unary") return undefined;
  if (right.operator !== "positive" || right.argument.kind !== "operand") return undefined;
  return { gradient: inputs[left.index]!, sign: inputs[right.argument.index]! };
}

/** The dropout mask of `$0 * keep`. */
function keepFactorOf(node: AnyNode | undefined): Expression | undefined {
  if (node?.kind !== "pointwise") return undefined;
  const { expression } = node.attributes;
  if (expression.kind !== "binary" || expression.operator !== "multiply") return undefined;
  const { left, right } = expression;
  return left.kind === "operand" && right.kind === "keep" ? right : undefined;
}

function isScaled(node: AnyNode, value: Value): boolean {
  return node.inputs.length === 1 && node.inputs[0] === value;
}

/**
 * Rules that change what a gradient would have to be told of: for graphs not yet differentiated.
 */
const forwardRules: Rules = {
  pointwise: [simplerExpression, reshapeAfterPointwise],
  reshape: [singleReshape, fewerMoves],
  rearrange: [fewerMoves],
  convolution: [padInConvolution, linearOnImage],
  maxPool: [poolBeforeRelu],
};

/** Once there are gradients, what kept them from values has no meaning any more. */
const withoutStop: Rule<"pointwise"> = (node) => {
  const { expression } = node.attributes;
  const plain = withoutStops(expression);
  if (sameExpression(plain, expression)) return undefined;
  return (builder) => [addPointwise(builder, node.inputs, plain, node.origin)];
};

const trainingRules: Rules = {
  pointwise: [withoutStop, simplerExpression, signAfterDropout, joinGradients],
  reshape: [singleReshape, fewerMoves],
  rearrange: [fewerMoves],
  rearrangeGradient: [fewerMoves],
};

/** A forward graph, before differentiation, with less to do. */
export function simplify(forward: Graph): Graph {
  return rewrite(forward, forwardRules);
}

/** A graph with gradients, before fusion, with less to do and less to keep. */
export function simplifyTraining(training: Graph): Graph {
  return rewrite(training, trainingRules);
}
