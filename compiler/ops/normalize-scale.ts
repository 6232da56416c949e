import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * What `normalize` multiplies by and adds where its statistics are known at compile time: one
 * multiplication and one addition.
 */
export const normalizeScale: OpDefinition<"normalizeScale"> = {
  outputs([mean, ...vectors]) {
    for (const vector of vectors) requireShape(vector, mean!.shape);
    const result = { shape: mean!.shape, type: "f32" } as const;
    return [result, result];
  },

  reference(inputs, { epsilon }) {
    const [mean, variance, weight, bias] = inputs;
    const [scale, shift] = [zeros(mean!.shape), zeros(mean!.shape)];
    for (let c = 0; c < mean!.data.length; c++) {
      scale.data[c] = (weight?.data[c] ?? 1) / Math.sqrt(variance!.data[c]! + epsilon);
      shift.data[c] = (bias?.data[c] ?? 0) - mean!.data[c]! * scale.data[c]!;
    }
    return [scale, shift];
  },
};
