import { BATCH } from "../ir/shape.js";
import type { OpDefinition } from "./op.js";
import { forEachPixel, pixelSizes, requirePixelLogits } from "./pixel-cross-entropy.js";
import { classOfPixel } from "./pixel-hits.js";
import { zeros } from "./tensors.js";

/**
 * For each row and class, how many pixels have the class as label and as prediction, and behind all
 * of these how many have it as either. Ignored pixels count in none.
 */
export const pixelOverlaps: OpDefinition<"pixelOverlaps"> = {
  keepsOrder: true,

  outputs(inputs) {
    const { height, classes } = requirePixelLogits(inputs);
    return [{ shape: [BATCH, height, 2 * classes], type: "f32" }];
  },

  reference(inputs) {
    const { images, height, channels: classes } = pixelSizes(inputs[0]!.shape);
    const counts = zeros([images, height, 2 * classes]);
    forEachPixel(inputs, ({ logits, label, image, row }) => {
      const predicted = classOfPixel(logits);
      const start = (image * height + row) * 2 * classes;
      if (predicted === label) counts.data[start + label]!++;
      for (const union of new Set([label, predicted]))
        if (union >= 0) counts.data[start + classes + union]!++;
    });
    return [counts];
  },
};
