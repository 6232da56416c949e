import { BATCH } from "../ir/shape.js";
import { requireShape } from "./checks.js";
import { evaluateTensor } from "./fused.js";
import type { OpDefinition } from "./op.js";
import { tensorSize, zeros } from "./tensors.js";

/**
 * The mean over each example's elements of a scalar expression of prediction and target, or of the
 * prediction alone; NaN where the prediction is not finite.
 */
export const elementLoss: OpDefinition<"elementLoss"> = {
  outputs([prediction, ...targets]) {
    for (const target of targets) requireShape(target, prediction!.shape);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, { expression }, context) {
    const [images = 1, ...sizes] = inputs[0]!.shape;
    const elements = tensorSize(sizes);
    const losses = zeros([images]);
    const each = evaluateTensor(expression, inputs, inputs[0]!.shape, context);
    each.data.forEach((loss, index) => {
      const isFinite = Number.isFinite(inputs[0]!.data[index]);
      losses.data[Math.floor(index / elements)]! += isFinite ? loss / elements : NaN;
    });
    return [losses];
  },
};
