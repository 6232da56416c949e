import { BATCH, formatShape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { tensorSize, zeros } from "./tensors.js";

/** 1 in the channel of each label's class, and 0 elsewhere. */
export const oneHot: OpDefinition<"oneHot"> = {
  keepsOrder: true,

  outputs([labels], { classes }) {
    const { shape, type } = labels!;
    const isOfLabels = type === "u32" && (shape.length === 1 || shape.length === 3);
    ensure(isOfLabels, () => `expected labels [N] or [N, H, W], got ${formatShape(shape)}`);
    return [{ shape: [BATCH, classes, ...shape.slice(1)], type: "f32" }];
  },

  reference([labels], { classes }) {
    const [images = 1, ...sizes] = labels!.shape;
    const pixels = tensorSize(sizes);
    const y = zeros([images, classes, ...sizes]);
    labels!.data.forEach((label, index) => {
      const [image, pixel] = [Math.floor(index / pixels), index % pixels];
      if (label < classes) y.data[(image * classes + label) * pixels + pixel] = 1;
    });
    return [y];
  },
};
