import type { Builder } from "../ir/builder.js";
import { add, multiply, operand } from "../ir/expression.js";
import type { OpAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { asImage, broadcastShape, isWide, sameShape, type Shape } from "../ir/shape.js";
import type { LayerContext } from "./layer.js";
import { spreadWide } from "./wide-axes.js";

/** What `residual` and `concat`, and the layers of the same meaning, are in ops. */

/** What a layer reads, in one shape: `broadcastShape` accepts it. */
export function spreadAll(input: Value, context: LayerContext): readonly Value[] {
  const { builder, origin, others } = context;
  const shapes = [context.shape, ...context.otherShapes];
  const shape = broadcastShape(shapes)!;
  return [input, ...others].map((value, index) => {
    const from = shapes[index]!;
    return isWide(shape) && !sameShape(from, shape)
      ? spreadWide(value, { from, to: shape }, builder, origin)
      : spreadValue(builder, value, asImage(shape), origin);
  });
}

/** The value itself where it has the shape, else repeated along the axes on which it has 1. */
export function spreadValue(builder: Builder, value: Value, shape: Shape, origin: Origin): Value {
  return sameShape(value.shape, shape) ? value : builder.add("spread", [value], { shape }, origin);
}

/** The sum of two values of one shape. */
export function addValues(builder: Builder, values: readonly Value[], origin: Origin): Value {
  const expression = add(operand(0), operand(1));
  return builder.add("pointwise", values, { expression }, origin);
}

/** The product of two values of one shape, element by element. */
export function multiplyValues(builder: Builder, values: readonly Value[], origin: Origin): Value {
  const expression = multiply(operand(0), operand(1));
  return builder.add("pointwise", values, { expression }, origin);
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
