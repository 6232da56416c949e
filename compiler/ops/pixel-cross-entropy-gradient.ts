import type { OpDefinition, Tensor } from "./op.js";
import {
  focusOfGradient,
  forEachPixel,
  pixelSizes,
  pixelTargets,
  requirePixelLogits,
} from "./pixel-cross-entropy.js";
import { softmaxOf } from "./softmax.js";
import { zeros } from "./tensors.js";

/**
 * The gradient of the step's mean loss, times its weight: weight * (sum(target) * softmax(logits) -
 * target) / total, times what the focus makes of it. The total is what the labels of all pixels
 * weigh that are not ignored; the gradient is 0 at those that are.
 */
export const pixelCrossEntropyGradient: OpDefinition<"pixelCrossEntropyGradient"> = {
  keepsOrder: true,

  outputs(inputs) {
    requirePixelLogits(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs, { weight, ...rule }) {
    const gradient = zeros(inputs[0]!.shape);
    const { channels: classes } = pixelSizes(gradient.shape);
    const total = totalOf(inputs[1]!, classes, rule.classWeights);
    forEachPixel(inputs, (pixel) => {
      const { logits, label, places } = pixel;
      const focus = focusOfGradient(pixel, rule);
      const probabilities = softmaxOf(logits);
      const targets = pixelTargets(label, classes, rule);
      const mass = targets.reduce((sum, target) => sum + target, 0);
      probabilities.forEach((probability, index) => {
        const slope = mass * probability - targets[index]!;
        gradient.data[places[index]!] = (focus * weight * slope) / total;
      });
    });
    return [gradient];
  },
};

function totalOf({ data }: Tensor, classes: number, weights?: readonly number[]): number {
  const counted = Array.from(data).filter((label) => label < classes);
  return counted.reduce((sum, label) => sum + (weights?.[label] ?? 1), 0);
}
