/** Sums, products and joins of features, and of features with constants. */
import type { Dimension } from "../../compiler/ir/shape.js";
import { elementCount, formatShape, isSequence } from "../../compiler/ir/shape.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { axesOf, channelAxisOf, channelsOf, shapeOf, type Feature, type Known } from "../known.js";
import { axisOf, inStoredOrder, type NodeContext } from "../node-context.js";
import { difference, quotient } from "./formulas.js";
import { inOneOrder } from "./orders.js";
import { filled, floats, reshaped, scalarOf } from "../tensors.js";
import { withoutUndefined } from "../../program/without-undefined.js";

type Mapping = (context: NodeContext) => Known;

/** A factor and an offset for each channel: what a constant operand comes to. */
interface Line {
  readonly weight?: ForeignTensor;
  readonly bias?: ForeignTensor;
}

export const add: Mapping = (context) => join(context, "add", (bias) => ({ bias }));
export const multiply: Mapping = (context) => join(context, "multiply", (weight) => ({ weight }));

/** A constant is a part of a `scale`. */
export const subtract: Mapping = (context) => {
  const [first, second] = context.inputs;
  if (first?.is === "feature" && second?.is === "feature") return difference(context);
  if (first?.is === "feature") {
    return withConstant(context, first, 1, (bias) => ({ bias: negated(bias) }));
  }
  const x = context.feature(1);
  return withConstant(context, x, 0, (bias) => ({ bias, weight: filled(bias.values.length, -1) }));
};

export const divide: Mapping = (context) => {
  if (context.inputs[1]?.is === "feature") return quotient(context);
  return withConstant(context, context.feature(0), 1, (divisor) => ({
    weight: { ...divisor, values: divisor.values.map((each) => 1 / each) },
  }));
};

export const negate: Mapping = (context) => {
  const x = context.feature(0);
  return scale(context, x, { weight: filled(channelsOf(x), -1) });
};

/** `Sum` of any number of values. */
export const sum: Mapping = (context) => {
  const [first, ...others] = context.node.inputs.map((_, index) => context.feature(index));
  return others.reduce((total, other) => joined(context, "add", total, other), first!);
};

/** `Concat` of features along their channels, or of sequences along their tokens. */
export const concat: Mapping = (context) => {
  const given = context.node.inputs.map((_, index) => featureOrParameter(context, index));
  const [whole] = given as [Feature, ...Feature[]];
  const axis = axisOf(context.attributes.number("axis", 1), whole.stored.length);
  if (axis === 0) context.refuse("it joins examples to a larger batch");
  if (given.some(({ order }) => order.as === "features")) {
    return { ...context.concat(given), order: { as: "features", features: chained(given) } };
  }
  const parts = inOneOrder(context, given);
  const [first] = parts as [Feature, ...Feature[]];
  if (isSequence(first.stored) && axesOf(first)[axis] === 1) {
    return { ...context.concat(parts, "tokens"), order: first.order };
  }
  const moved = parts.map((part) => context.channelsAt(part, axis));
  return { ...context.concat(moved), order: moved[0]!.order };
};

/** Constants that are joined to sequences are trained, as class tokens are. */
function featureOrParameter(context: NodeContext, index: number): Feature {
  const input = context.inputs[index];
  const isJoined = context.inputs.some((each) => each?.is === "feature" && isSequence(each.stored));
  if (input?.is !== "constant" || !isJoined) return context.feature(index);
  return context.parameter(input.tensor, index, "class_token") ?? context.feature(index);
}

/** The order of features that are joined. */
function chained(parts: readonly Feature[]): Int32Array {
  const starts = parts.map((_, index) =>
    parts.slice(0, index).reduce((total, { stored }) => total + Number(stored[1]), 0),
  );
  return Int32Array.from(
    parts.flatMap(({ stored, order }, index) =>
      Array.from({ length: Number(stored[1]) }, (_, feature) => {
        return starts[index]! + (order.as === "features" ? order.features[feature]! : feature);
      }),
    ),
  );
}

function join(
  context: NodeContext,
  kind: "add" | "multiply",
  line: (constant: ForeignTensor) => Line,
): Known {
  const [first, second] = context.inputs;
  if (first?.is === "feature" && second?.is === "feature") {
    return joined(context, kind, first, second);
  }
  const index = first?.is === "feature" ? 0 : 1;
  return withConstant(context, context.feature(index), 1 - index, line);
}

function joined(context: NodeContext, kind: "add" | "multiply", a: Feature, b: Feature): Feature {
  const [x, y] = inOneOrder(context, [a, b]) as [Feature, Feature];
  const order = elementCount(x.stored) >= elementCount(y.stored) ? x.order : y.order;
  return { ...context.layer(kind, [x, y]), order };
}

function withConstant(
  context: NodeContext,
  x: Feature,
  index: number,
  line: (constant: ForeignTensor) => Line,
): Known {
  const constant = context.constant(index, "other input");
  if (isNeutral(context.node.operator, constant, index)) return x;
  const moved = isForLastAxis(constant, x) ? context.asStored(x) : x;
  return (
    byToken(context, moved, index, line) ??
    scale(context, moved, line(perChannel(context, constant, moved)))
  );
}

/**
 * Whether numbers are for the last axis of a transposed sequence, which netc's layers take for
 * channels once the sequence is moved.
 */
function isForLastAxis({ shape }: ForeignTensor, x: Feature): boolean {
  const isMoved = isSequence(x.stored) && x.order.as === "axes";
  const last = shapeOf(x).length - 1;
  return isMoved && channelAxisOf(x) !== axesOf(x)[last] && shape.at(-1) === shapeOf(x)[last];
}

/** A sum with numbers for each token, such as positions, or a product with them. */
function byToken(
  context: NodeContext,
  x: Feature,
  index: number,
  line: (constant: ForeignTensor) => Line,
): Feature | undefined {
  const { shape } = context.constant(index, "other input");
  const wanted = shapeOf(x).slice(1).join();
  if (!isSequence(x.stored) || shape.slice(-2).join() !== wanted) return undefined;
  const numbers = context.constant(index, "other input");
  const { weight, bias } = line(numbers);
  const plain = [weight, bias].filter((part) => part !== undefined);
  if (plain.length !== 1) return undefined;
  const parameter = context.parameter({ ...numbers, values: plain[0]!.values }, index, "positions");
  return parameter && context.layer(weight ? "multiply" : "add", [context.asStored(x), parameter]);
}

function scale(context: NodeContext, x: Feature, { weight, bias }: Line): Feature {
  const ones = filled(channelsOf(x), 1);
  const layer = context.layer(
    "scale",
    [x],
    { bias: bias !== undefined },
    { tensors: withoutUndefined({ weight: weight ?? ones, bias }) },
  );
  return { ...layer, order: x.order };
}

/** One number that changes nothing, as exporters write for what a layer does not have. */
function isNeutral(operator: string, constant: ForeignTensor, index: number): boolean {
  const number = scalarOf(constant);
  const isLast = index === 1;
  if (operator === "Mul" || (operator === "Div" && isLast)) return number === 1;
  return (operator === "Add" || (operator === "Sub" && isLast)) && number === 0;
}

/** A constant that is the same at all pixels, as one number for each stored channel. */
function perChannel(context: NodeContext, tensor: ForeignTensor, x: Feature): ForeignTensor {
  const channels = channelsOf(x);
  const { values, shape } = tensor;
  if (values.length === 1) return filled(channels, values[0]!);
  const seen = shapeOf(x);
  const axis = axesOf(x).indexOf(channelAxisOf(x));
  if (isChannelsOnly(shape, seen, axis)) {
    return inStoredOrder(floats([channels], reshaped(tensor, [channels]).values), 0, x.order);
  }
  return context.refuse(
    `its constant [${shape.join(", ")}] differs by pixel of ${formatShape(seen)}`,
    "netc has one number for each channel",
  );
}

/** Whether a shape that is broadcast against another one has only its channels. */
function isChannelsOnly(
  shape: readonly number[],
  seen: readonly Dimension[],
  channelAxis: number,
): boolean {
  const offset = seen.length - shape.length;
  return (
    offset >= 0 &&
    shape.every((size, axis) =>
      axis + offset === channelAxis ? size === seen[channelAxis] : size === 1,
    )
  );
}

const negated = (tensor: ForeignTensor): ForeignTensor => ({
  ...tensor,
  values: tensor.values.map((each) => -each),
});
