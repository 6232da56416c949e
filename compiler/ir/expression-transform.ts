import type { Expression } from "./expression.js";

/**
 * What an expression reads: an operand at the same place, or a [C] operand at the element's
 * channel.
 */
export type Leaf = Extract<Expression, { kind: "operand" | "channel" }>;

/** The expression with `change` applied to its direct parts; leaves and constants stay. */
export function mapParts(
  expression: Expression,
  change: (part: Expression) => Expression,
): Expression {
  switch (expression.kind) {
    case "unary":
    case "noise":
      return { ...expression, argument: change(expression.argument) };
    case "binary":
      return { ...expression, left: change(expression.left), right: change(expression.right) };
    default:
      return expression;
  }
}

/**
 * The expression with every operand and channel replaced: how one expression is fused into another.
 */
export function substitute(
  expression: Expression,
  replacement: (leaf: Leaf) => Expression,
): Expression {
  if (expression.kind === "operand" || expression.kind === "channel")
    return replacement(expression);
  return mapParts(expression, (part) => substitute(part, replacement));
}

/** The same value without what only derivatives see. */
export function withoutStops(expression: Expression): Expression {
  if (expression.kind === "unary" && expression.operator === "stop") {
    return withoutStops(expression.argument);
  }
  return mapParts(expression, withoutStops);
}

/**
 * Every operand and channel that the expression reads, in the order of reading, repeats included.
 */
export function leaves(expression: Expression): readonly Leaf[] {
  switch (expression.kind) {
    case "operand":
    case "channel":
      return [expression];
    case "unary":
    case "noise":
      return leaves(expression.argument);
    case "binary":
      return [...leaves(expression.left), ...leaves(expression.right)];
    default:
      return [];
  }
}

/** Whether what the expression gives for an element depends on the element's channel. */
export const readsChannel = (expression: Expression): boolean =>
  contains(
    expression,
    (part) => part.kind === "channel" || (part.kind === "keep" && part.dropped === "channel"),
  );

/** The numbers that noise replaces, in its place. */
export function withoutNoise(expression: Expression): Expression {
  if (expression.kind === "noise") return withoutNoise(expression.argument);
  return mapParts(expression, withoutNoise);
}

/** How many operations the expression has, repeats included. */
export function countOperations(expression: Expression): number {
  switch (expression.kind) {
    case "unary":
    case "noise":
      return 1 + countOperations(expression.argument);
    case "binary":
      return 1 + countOperations(expression.left) + countOperations(expression.right);
    default:
      return 0;
  }
}

/** Whether the expression or a part of it is as asked for. */
export function contains(expression: Expression, test: (part: Expression) => boolean): boolean {
  if (test(expression)) return true;
  if (expression.kind === "unary" || expression.kind === "noise") {
    return contains(expression.argument, test);
  }
  if (expression.kind === "binary") {
    return contains(expression.left, test) || contains(expression.right, test);
  }
  return false;
}

export function sameExpression(a: Expression, b: Expression): boolean {
  switch (a.kind) {
    case "operand":
    case "channel":
      return a.kind === b.kind && a.index === b.index;
    case "constant":
      return b.kind === "constant" && a.value === b.value;
    case "keep":
      return (
        b.kind === "keep" && a.rate === b.rate && a.stream === b.stream && a.dropped === b.dropped
      );
    case "batchShare":
      return b.kind === "batchShare";
    case "noise":
      return (
        b.kind === "noise" &&
        a.distribution === b.distribution &&
        a.stream === b.stream &&
        sameExpression(a.argument, b.argument)
      );
    case "unary":
      return (
        b.kind === "unary" && a.operator === b.operator && sameExpression(a.argument, b.argument)
      );
    case "binary":
      return (
        b.kind === "binary" &&
        a.operator === b.operator &&
        sameExpression(a.left, b.left) &&
        sameExpression(a.right, b.right)
      );
  }
}

/**
 * Drops inputs that the expression does not read, joins those that are the same, and renumbers its
 * leaves.
 */
export function compactInputs<Input>(
  inputs: readonly Input[],
  expression: Expression,
): { readonly inputs: readonly Input[]; readonly expression: Expression } {
  const read = leaves(expression).map((leaf) => inputs[leaf.index]!);
  const kept = [...new Set(read)];
  const renumbered = substitute(expression, (leaf) => ({
    ...leaf,
    index: kept.indexOf(inputs[leaf.index]!),
  }));
  return { inputs: kept, expression: renumbered };
}
