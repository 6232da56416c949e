import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { tensorSize } from "./tensors.js";

/** Weights whose results come out scaled, channel by channel: w'[o, ...] = scale[o] * w[o, ...]. */
export const scaledWeights: OpDefinition<"scaledWeights"> = {
  outputs([w, scale]) {
    requireShape(scale!, w!.shape.slice(0, 1));
    return [{ shape: w!.shape, type: "f32" }];
  },

  reference(inputs) {
    const [w, scale] = inputs;
    const perOutput = tensorSize(w!.shape) / w!.shape[0]!;
    const data = Float64Array.from(w!.data, (value, index) => {
      return value * scale!.data[Math.floor(index / perOutput)]!;
    });
    return [{ shape: w!.shape, data }];
  },
};
