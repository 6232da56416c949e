import { BATCH } from "../ir/shape.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { stored, zeros } from "./tensors.js";

/** The means over the batch of any number of [N] values. */
export const batchMean: OpDefinition<"batchMean"> = {
  outputs(inputs) {
    for (const input of inputs) requireShape(input, [BATCH]);
    return [{ shape: [inputs.length], type: "f32" }];
  },

  reference(inputs) {
    const means = zeros([inputs.length]);
    inputs.forEach((input, index) => {
      let sum = 0;
      for (const value of input.data) sum += value;
      means.data[index] = sum / input.data.length;
    });
    return [stored(means, inputs)];
  },
};
