import type { Builder } from "../ir/builder.js";
import { add, operand, type Expression } from "../ir/expression.js";
import { leaves } from "../ir/expression-transform.js";
import type { Node, OpAttributes, Value } from "../ir/graph.js";
import { axesOf, isSequence, type Shape } from "../ir/shape.js";
import type { Uses } from "../ir/uses.js";
import { addPointwise } from "../ops/add-pointwise.js";
import { partTaken } from "../layout/parts.js";
import type { Rule } from "./rewrite.js";

type Sum = Node<"pointwise">;

/** A term of a sum of gradients: that of a part, with zeros around it. */
interface PartTerm {
  readonly term: Expression;
  /** Without these zeros. */
  readonly gradient: Value;
  /** The axis, counted behind the batch, of which it has some places. */
  readonly axis: number;
  readonly first: number;
  readonly count: number;
}

/**
 * The gradients of parts that together are the whole, such as the branches of a `split`, come one
 * after the other: each is written where it belongs, and none is filled up with zeros and added.
 */
export const joinGradients: Rule<"pointwise"> = (node, uses) => {
  const terms = termsOf(node.attributes.expression);
  const parts = terms.flatMap((term) => partTerm(term, node, uses) ?? []);
  const whole = parts.length > 1 ? wholeOf(parts, node.outputs[0]!.shape) : undefined;
  if (!whole) return undefined;
  const joined = new Set(whole.map(({ term }) => term));
  const others = terms.filter((term) => !joined.has(term));
  return (builder) => {
    const gradient = concatenated(builder, whole, node);
    const inputs = [...node.inputs, gradient];
    const sum = [operand(node.inputs.length), ...others].reduce(add);
    return [addPointwise(builder, inputs, sum, node.origin)];
  };
};

/** What a sum adds up. */
function termsOf(expression: Expression): readonly Expression[] {
  if (expression.kind !== "binary" || expression.operator !== "add") return [expression];
  return [...termsOf(expression.left), ...termsOf(expression.right)];
}

function partTerm(term: Expression, sum: Sum, uses: Uses): PartTerm | undefined {
  if (term.kind !== "operand") return undefined;
  const value = sum.inputs[term.index]!;
  const maker = uses.maker(value);
  if (maker?.kind !== "rearrangeGradient" || !uses.isReadOnlyBy(value, sum)) return undefined;
  const reads = leaves(sum.attributes.expression).filter(({ index }) => index === term.index);
  const place = placeOf(maker);
  return place && reads.length === 1 ? { term, gradient: maker.inputs[0]!, ...place } : undefined;
}

/** The places of a part along the one axis of which it has some; undefined for other parts. */
function placeOf({ attributes }: Node<"rearrangeGradient">) {
  const { shape, inputShape } = attributes;
  if (shape.length !== inputShape.length) return undefined;
  const part = partTaken(inputShape, attributes);
  const [axis, ...more] = axesOf(shape).flatMap((_, index) =>
    shape[index + 1] === inputShape[index + 1] ? [] : [index],
  );
  if (!part || axis === undefined || more.length > 0) return undefined;
  if (part.rowStep > 1 || part.columnStep > 1) return undefined;
  const first = { channels: part.channel, rows: part.row, columns: part.column };
  return { axis, first: first[axesOf(shape)[axis]!], count: Number(shape[axis + 1]) };
}

/** Parts of one axis that are all of it, in its order. */
function wholeOf(parts: readonly PartTerm[], shape: Shape): readonly PartTerm[] | undefined {
  const { axis } = parts[0]!;
  const inOrder = parts.toSorted((a, b) => a.first - b.first);
  let end = 0;
  for (const part of inOrder) {
    if (part.axis !== axis || part.first !== end) return undefined;
    end += part.count;
  }
  return end === shape[axis + 1] ? inOrder : undefined;
}

function concatenated(builder: Builder, parts: readonly PartTerm[], { outputs, origin }: Sum) {
  const inputs = parts.map(({ gradient }) => gradient);
  const axis = joinedAxis(outputs[0]!.shape, parts[0]!.axis);
  return builder.add("concatenate", inputs, { axis }, origin);
}

/** What joins values along an axis. */
function joinedAxis(shape: Shape, axis: number): OpAttributes["concatenate"]["axis"] {
  const name = axesOf(shape)[axis]!;
  if (name === "channels") return undefined;
  return name === "columns" && isSequence(shape) ? "tokens" : name;
}
