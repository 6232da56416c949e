import { imageShape } from "../ir/shape.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * The sum of each channel over batch and space: the gradient of a bias, or of what `broadcast`
 * repeats, in its shape.
 */
export const channelSum: OpDefinition<"channelSum"> = {
  outputs([x], { shape }) {
    return [{ shape: shape ?? [imageShape(x!.shape).channels], type: "f32" }];
  },

  reference([x], { shape }) {
    const { channels, pixels } = imageSizes(x!.shape);
    const sums = zeros(shape?.map(Number) ?? [channels]);
    x!.data.forEach((value, index) => {
      sums.data[Math.floor(index / pixels) % channels]! += value;
    });
    return [sums];
  },
};
