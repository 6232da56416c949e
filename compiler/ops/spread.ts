import { formatShape, reducedAxes } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { forEachSpread } from "./reduce.js";
import { resolveShape, zeros } from "./tensors.js";

/** A value repeated along the axes on which it has one element. */
export const spread: OpDefinition<"spread"> = {
  outputs([x], { shape }) {
    const fits =
      x!.shape.length === shape.length &&
      x!.shape.every((size, axis) => size === shape[axis] || size === 1);
    ensure(fits, () => `cannot spread ${formatShape(x!.shape)} to ${formatShape(shape)}`);
    return [{ shape, type: "f32" }];
  },

  gradient(builder, { inputs, attributes, origin }, [dy]) {
    const axes = reducedAxes(attributes.shape, inputs[0]!.shape);
    return [builder.add("reduce", [dy!], { by: "sum", axes }, origin)];
  },

  reference([x], _, __, [output]) {
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    forEachSpread(y.shape, x!.shape, (large, small) => (y.data[large] = x!.data[small]!));
    return [y];
  },
};
