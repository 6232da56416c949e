import {
  add,
  binary,
  channel,
  multiply,
  operand,
  subtract,
  type Expression,
} from "../ir/expression.js";
import { deviation, normalizeExpression } from "../ir/normalize-expression.js";
import type { NormalizeAttributes } from "../ir/graph.js";
import { imageShape } from "../ir/shape.js";
import { addPointwise } from "./add-pointwise.js";
import { ensure, requireShape } from "./checks.js";
import { evaluateTensor } from "./fused.js";
import type { OpDefinition } from "./op.js";

/**
 * Normalizes by the channels' statistics over batch and space, then scales and shifts (Ioffe and
 * Szegedy, 2015).
 *
 * With n values in a channel, r = 1 / sqrt(variance + epsilon) and x' = (x - mean) r: dbias = sum
 * dy, dweight = sum dy x', dx = weight r (dy - dbias / n - x' dweight / n).
 */
export const normalize: OpDefinition<"normalize"> = {
  outputs([x, ...vectors]) {
    ensure(vectors.length === 2 || vectors.length === 4, () => "weight and bias go together");
    for (const vector of vectors) requireShape(vector, [imageShape(x!.shape).channels]);
    return [{ shape: x!.shape, type: "f32" }];
  },

  gradient(builder, node, [dy], wanted) {
    const [x, mean, variance, weight] = node.inputs;
    const { attributes, origin } = node;
    const read = [dy!, x!, mean!, variance!];
    const [dBias, dWeight, slope, offset] = builder.addAll(
      "normalizeGradient",
      read,
      attributes,
      origin,
    );
    if (!wanted[0]) return [undefined, undefined, undefined, dWeight, dBias];
    const vectors = [variance!, slope!, offset!, ...(weight ? [weight] : [])];
    const expression = inputGradient(attributes, { hasWeight: weight !== undefined });
    const dx = addPointwise(builder, [dy!, x!, ...vectors], expression, origin);
    return [dx, undefined, undefined, dWeight, dBias];
  },

  reference(inputs, attributes, context) {
    const expression = normalizeExpression({ inputs: inputs as never, attributes });
    return [evaluateTensor(expression, inputs, inputs[0]!.shape, context)];
  },
};

/**
 * weight / deviation * (dy - slope * x - offset), of dy, x, variance, slope, offset and the weight
 * if there is one.
 */
function inputGradient(
  { epsilon }: NormalizeAttributes,
  { hasWeight }: { readonly hasWeight: boolean },
): Expression {
  const alongside = add(multiply(operand(1), channel(3)), channel(4));
  const across = subtract(operand(0), alongside);
  const scaled = hasWeight ? multiply(across, channel(5)) : across;
  return binary("divide", scaled, deviation(2, epsilon));
}
