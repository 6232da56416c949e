import { forEachExample, requireLogits } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { imageSizes, stored, zeros } from "./tensors.js";

/** The gradient of the batch's mean loss, times its weight: weight * (sum(target) * softmax(logits) - target) / N. */
export const crossEntropyGradient: OpDefinition<"crossEntropyGradient"> = {
  outputs(inputs) {
    requireLogits(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs, { weight, ...rule }) {
    const gradient = zeros(inputs[0]!.shape);
    const { images, channels: classes } = imageSizes(gradient.shape);
    forEachExample(inputs, rule, ({ logits, targets, index }) => {
      const mass = targets.reduce((sum, target) => sum + target, 0);
      softmaxOf(logits).forEach((share, label) => {
        const slope = mass * share - targets[label]!;
        gradient.data[index * classes + label] = (weight * slope) / images;
      });
    });
    return [stored(gradient, inputs)];
  },
};
