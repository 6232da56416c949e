import { imageShape } from "../ir/shape.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, stored, zeros } from "./tensors.js";
import { descend } from "./update.js";

/** The sum of each channel over batch and space: the gradient of a bias; or, with `update`, the step that it makes. */
export const channelSum: OpDefinition<"channelSum"> = {
  outputs([x], { update }) {
    if (update) return [];
    return [{ shape: [imageShape(x!.shape).channels], type: "f32" }];
  },

  reference(inputs, { update }, context) {
    const [x, w, ...states] = inputs;
    const { channels, pixels } = imageSizes(x!.shape);
    const sums = zeros([channels]);
    x!.data.forEach((value, index) => {
      sums.data[Math.floor(index / pixels) % channels]! += value;
    });
    if (!update) return [stored(sums, inputs)];
    descend({ w: w!, dw: sums, states }, update, context);
    return [];
  },
};
