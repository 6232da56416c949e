import { BATCH } from "../ir/shape.js";
import { rankOf } from "./accuracy.js";
import type { OpDefinition } from "./op.js";
import { forEachPixel, pixelSizes, requirePixelLogits } from "./pixel-cross-entropy.js";
import { zeros } from "./tensors.js";

/**
 * The class of the largest logit, the first of equal ones; none where a logit is not finite.
 */
export const classOfPixel = (logits: readonly number[]): number =>
  logits.every(Number.isFinite) ? logits.indexOf(Math.max(...logits)) : -1;

/** How many pixels of each row have their label among the k largest logits; ignored ones do not. */
export const pixelHits: OpDefinition<"pixelHits"> = {
  keepsOrder: true,

  outputs(inputs) {
    const { height } = requirePixelLogits(inputs);
    return [{ shape: [BATCH, height], type: "f32" }];
  },

  reference(inputs, { k }) {
    const { images, height } = pixelSizes(inputs[0]!.shape);
    const hits = zeros([images, height]);
    forEachPixel(inputs, ({ logits, label, image, row }) => {
      const isHit = logits.every(Number.isFinite) && rankOf(logits, label) < k;
      hits.data[image * height + row]! += Number(isHit);
    });
    return [hits];
  },
};
