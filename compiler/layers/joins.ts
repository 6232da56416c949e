import type { Builder } from "../ir/builder.js";
import { add, multiply, operand } from "../ir/expression.js";
import type { OpAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { imageShape, sameShape, spaceOf, type Shape } from "../ir/shape.js";

/** What `residual` and `concat`, and the layers of the same meaning, are in ops. */

const hasOnePixel = ({ shape }: Value) => spaceOf(shape).every((size) => size === 1);

/**
 * Two values that `joinedShape` accepts, in one shape: one number a channel is repeated at all
 * pixels of the other.
 */
export function spreadValues(
  builder: Builder,
  [a, b]: readonly [Value, Value],
  origin: Origin,
): readonly [Value, Value] {
  if (sameShape(a.shape, b.shape)) return [a, b];
  return hasOnePixel(a)
    ? [spreadValue(builder, a, b.shape, origin), b]
    : [a, spreadValue(builder, b, a.shape, origin)];
}

/** The value itself where it has the shape, else its one number a channel at all pixels. */
export function spreadValue(builder: Builder, value: Value, shape: Shape, origin: Origin): Value {
  if (sameShape(value.shape, shape)) return value;
  const { height, width } = imageShape(shape);
  const attributes = { outputSize: [height, width], mode: "nearest", alignCorners: false } as const;
  return builder.add("resample", [value], attributes, origin);
}

/** The sum of two values of one shape. */
export function addValues(
  builder: Builder,
  [a, b]: readonly [Value, Value],
  origin: Origin,
): Value {
  const expression = add(operand(0), operand(1));
  return builder.add("pointwise", [a, b], { expression }, origin);
}

/** The product of two values of one shape, element by element. */
export function multiplyValues(
  builder: Builder,
  [a, b]: readonly [Value, Value],
  origin: Origin,
): Value {
  const expression = multiply(operand(0), operand(1));
  return builder.add("pointwise", [a, b], { expression }, origin);
}

/** Values one after the other along their channels, or their tokens. */
export function concatenateValues(
  builder: Builder,
  values: readonly Value[],
  origin: Origin,
  attributes: OpAttributes["concatenate"] = {},
): Value {
  return values.length === 1 ? values[0]! : builder.add("concatenate", values, attributes, origin);
}
