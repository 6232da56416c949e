import { forEachExample, requireLogits } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * The gradient of the step's mean loss, times its weight: weight * (sum(target) * softmax(logits) -
 * target) / total, where the total is the number of examples, or the weights of their labels. Of
 * mixed images the sum of both labels' by their shares.
 */
export const crossEntropyGradient: OpDefinition<"crossEntropyGradient"> = {
  outputs(inputs) {
    requireLogits(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs, { weight, ...rule }) {
    const gradient = zeros(inputs[0]!.shape);
    const { channels: classes } = imageSizes(gradient.shape);
    forEachExample(inputs, rule, ({ logits, labels, index }) => {
      const probabilities = softmaxOf(logits);
      for (const { share, targets, total } of labels) {
        const mass = targets.reduce((sum, target) => sum + target, 0);
        probabilities.forEach((probability, label) => {
          const slope = mass * probability - targets[label]!;
          gradient.data[index * classes + label]! += (weight * share * slope) / total;
        });
      }
    });
    return [gradient];
  },
};
