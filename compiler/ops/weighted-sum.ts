import { BATCH } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { stored, zeros } from "./tensors.js";

/** The sum of [N] values, each times its weight. */
export const weightedSum: OpDefinition<"weightedSum"> = {
  outputs(inputs, { weights }) {
    ensure(inputs.length === weights.length, () => {
      return `expected ${weights.length} values to weigh, got ${inputs.length}`;
    });
    for (const input of inputs) requireShape(input, [BATCH]);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, { weights }) {
    const sums = zeros(inputs[0]!.shape);
    inputs.forEach(({ data }, index) => {
      data.forEach((value, example) => (sums.data[example]! += weights[index]! * value));
    });
    return [stored(sums, inputs)];
  },
};
