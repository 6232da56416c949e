import { requireShape } from "./checks.js";
import { extendedShape, forEachExtended } from "./extend.js";
import type { OpDefinition } from "./op.js";
import { resolveShape, zeros } from "./tensors.js";

/** dx: each pixel's gradient is that of itself and of its copies. */
export const extendGradient: OpDefinition<"extendGradient"> = {
  outputs([dy], attributes) {
    requireShape(dy!, extendedShape(attributes.inputShape, attributes));
    return [{ shape: attributes.inputShape, type: "f32" }];
  },

  reference([dy], attributes, _, [output]) {
    const dx = zeros(resolveShape(output!.shape, dy!.shape[0]!));
    forEachExtended({ x: dx.shape, y: dy!.shape }, attributes, (yAt, xAt) => {
      if (xAt !== undefined) dx.data[xAt]! += dy!.data[yAt]!;
    });
    return [dx];
  },
};
