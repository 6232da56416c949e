import { byClass, formatShape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { pixelSizes } from "./pixel-cross-entropy.js";
import { zeros } from "./tensors.js";

/** 1 in the channel of each label's class, and 0 elsewhere. */
export const oneHot: OpDefinition<"oneHot"> = {
  keepsOrder: true,

  outputs([labels], { classes }) {
    const { shape, type } = labels!;
    const isOfLabels = type === "u32" && shape.length <= 3;
    ensure(isOfLabels, () => `expected labels [N], [N, H, W] or [N, T], got ${formatShape(shape)}`);
    return [{ shape: byClass(shape, classes), type: "f32" }];
  },

  reference([labels], { classes }) {
    const y = zeros(byClass(labels!.shape, classes).map(Number));
    const { pixels, steps } = pixelSizes(y.shape);
    labels!.data.forEach((label, index) => {
      const [image, pixel] = [Math.floor(index / pixels), index % pixels];
      if (label < classes)
        y.data[image * classes * pixels + label * steps.channel + pixel * steps.pixel] = 1;
    });
    return [y];
  },
};
