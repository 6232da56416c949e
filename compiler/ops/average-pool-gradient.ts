import { averagedShape, forEachAveraged } from "./average-pool.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { resolveShape, zeros } from "./tensors.js";

/** dx: each output's gradient is shared by the elements of its window. */
export const averagePoolGradient: OpDefinition<"averagePoolGradient"> = {
  outputs([dy], attributes) {
    requireShape(dy!, averagedShape(attributes.inputShape, attributes));
    return [{ shape: attributes.inputShape, type: "f32" }];
  },

  reference(inputs, attributes, _, [output]) {
    const [dy] = inputs;
    const dx = zeros(resolveShape(output!.shape, dy!.shape[0]!));
    forEachAveraged({ x: dx.shape, y: dy!.shape }, attributes, (yAt, xAt, weight) => {
      dx.data[xAt]! += weight * dy!.data[yAt]!;
    });
    return [dx];
  },
};
