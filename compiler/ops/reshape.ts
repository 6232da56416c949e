import { elementCount, formatShape, hasBatch } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { resolveShape } from "./tensors.js";

/** The same elements, in row-major order, in another shape. */
export const reshape: OpDefinition<"reshape"> = {
  keepsOrder: true,

  outputs([x], { shape }) {
    const fits = elementCount(x!.shape) === elementCount(shape);
    ensure(fits && hasBatch(x!.shape) === hasBatch(shape), () => {
      return `cannot reshape ${formatShape(x!.shape)} to ${formatShape(shape)}`;
    });
    return [{ shape, type: x!.type }];
  },

  gradient(builder, node, [dy]) {
    return [builder.add("reshape", [dy!], { shape: node.inputs[0]!.shape }, node.origin)];
  },

  reference([x], { shape }) {
    return [{ shape: resolveShape(shape, x!.shape[0]!), data: x!.data }];
  },
};
