import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { stored, zeros } from "./tensors.js";

/** The sum of two gradients of one parameter, which two layers use. */
export const sumGradients: OpDefinition<"sumGradients"> = {
  outputs([first, second]) {
    requireShape(second!, first!.shape);
    return [{ shape: first!.shape, type: "f32" }];
  },

  reference(inputs) {
    const [first, second] = inputs;
    const sum = zeros(first!.shape);
    sum.data.forEach((_, index) => (sum.data[index] = first!.data[index]! + second!.data[index]!));
    return [stored(sum, inputs)];
  },
};
