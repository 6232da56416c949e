import { BATCH } from "../ir/shape.js";
import type { OpDefinition } from "./op.js";
import { forEachPixel, pixelSizes, requirePixelLogits } from "./pixel-cross-entropy.js";
import { softmaxOf } from "./softmax.js";
import { zeros } from "./tensors.js";

/**
 * For each row and class, the probabilities of its pixels that have the class as label, summed; and
 * behind all of these the probabilities of all pixels, and 1 for each with this label. Ignored
 * pixels count in none.
 */
export const diceSums: OpDefinition<"diceSums"> = {
  keepsOrder: true,

  outputs(inputs) {
    const { height, classes } = requirePixelLogits(inputs);
    return [{ shape: [BATCH, height, 2 * classes], type: "f32" }];
  },

  gradient(builder, { inputs, origin }, [dy]) {
    return [builder.add("diceSumsGradient", [...inputs, dy!], {}, origin), undefined];
  },

  reference(inputs) {
    const { images, height, channels: classes } = pixelSizes(inputs[0]!.shape);
    const sums = zeros([images, height, 2 * classes]);
    forEachPixel(inputs, ({ logits, label, image, row }) => {
      const start = (image * height + row) * 2 * classes;
      softmaxOf(logits).forEach((probability, index) => {
        const isLabel = index === label;
        if (isLabel) sums.data[start + index]! += probability;
        sums.data[start + classes + index]! += probability + Number(isLabel);
      });
    });
    return [sums];
  },
};

/** logits, labels and the gradient of their sums -> the gradient of the logits. */
export const diceSumsGradient: OpDefinition<"diceSumsGradient"> = {
  keepsOrder: true,

  outputs(inputs) {
    requirePixelLogits(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs) {
    const [x, , dy] = inputs;
    const { height, channels: classes } = pixelSizes(x!.shape);
    const gradient = zeros(x!.shape);
    forEachPixel(inputs, ({ logits, label, image, row, places }) => {
      const start = (image * height + row) * 2 * classes;
      const probabilities = softmaxOf(logits);
      const slopes = probabilities.map((_, index) => {
        const own = index === label ? dy!.data[start + index]! : 0;
        return own + dy!.data[start + classes + index]!;
      });
      const mean = slopes.reduce((sum, slope, index) => sum + slope * probabilities[index]!, 0);
      places.forEach((place, index) => {
        gradient.data[place] = probabilities[index]! * (slopes[index]! - mean);
      });
    });
    return [gradient];
  },
};
