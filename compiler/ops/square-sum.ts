import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * The sum of a tensor's squares, added to that of others: the square of the norm of all of them.
 */
export const squareSum: OpDefinition<"squareSum"> = {
  outputs([, others]) {
    if (others) requireShape(others, [1]);
    return [{ shape: [1], type: "f32" }];
  },

  reference(inputs) {
    const [tensor, others] = inputs;
    const sum = zeros([1]);
    sum.data[0] = others?.data[0] ?? 0;
    tensor!.data.forEach((value) => (sum.data[0]! += value * value));
    return [sum];
  },
};
