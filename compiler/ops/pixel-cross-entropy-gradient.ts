import type { OpDefinition, Tensor } from "./op.js";
import { forEachPixel, pixelTargets, requirePixelLogits } from "./pixel-cross-entropy.js";
import { softmaxOf } from "./softmax.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * The gradient of the step's mean loss, times its weight: weight * (sum(target) * softmax(logits) -
 * target) / total, where the total is what the labels of all pixels weigh that are not ignored; 0
 * at those that are.
 */
export const pixelCrossEntropyGradient: OpDefinition<"pixelCrossEntropyGradient"> = {
  keepsOrder: true,

  outputs(inputs) {
    requirePixelLogits(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs, { weight, ...rule }) {
    const gradient = zeros(inputs[0]!.shape);
    const { channels: classes } = imageSizes(gradient.shape);
    const total = totalOf(inputs[1]!, classes, rule.classWeights);
    forEachPixel(inputs, ({ logits, label, places }) => {
      const probabilities = softmaxOf(logits);
      const targets = pixelTargets(label, classes, rule);
      const mass = targets.reduce((sum, target) => sum + target, 0);
      probabilities.forEach((probability, index) => {
        const slope = mass * probability - targets[index]!;
        gradient.data[places[index]!] = (weight * slope) / total;
      });
    });
    return [gradient];
  },
};

function totalOf({ data }: Tensor, classes: number, weights?: readonly number[]): number {
  const counted = Array.from(data).filter((label) => label < classes);
  return counted.reduce((sum, label) => sum + (weights?.[label] ?? 1), 0);
}
