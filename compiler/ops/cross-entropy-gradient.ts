import { forEachExample, requireLogits, targetShare } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { imageSizes, stored, zeros } from "./tensors.js";

/** The gradient of the batch's mean loss, times its weight: weight * (softmax(logits) - target) / N. */
export const crossEntropyGradient: OpDefinition<"crossEntropyGradient"> = {
  outputs([logits, labels]) {
    requireLogits(logits!, labels!);
    return [{ shape: logits!.shape, type: "f32" }];
  },

  reference(inputs, { smoothing, weight }) {
    const gradient = zeros(inputs[0]!.shape);
    const { images, channels: classes } = imageSizes(gradient.shape);
    forEachExample(inputs, (logits, label, example) => {
      softmaxOf(logits).forEach((share, index) => {
        const target = targetShare({ smoothing, classes }, index === label);
        gradient.data[example * classes + index] = (weight * (share - target)) / images;
      });
    });
    return [stored(gradient, inputs)];
  },
};
