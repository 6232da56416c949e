import { formatShape, imageShape, withChannels } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/** Some channels of a value, one after the other: the gradient of `concatenate`. */
export const slice: OpDefinition<"slice"> = {
  outputs([x], { start, count }) {
    const { channels } = imageShape(x!.shape);
    ensure(start >= 0 && count >= 1 && start + count <= channels, () => {
      return `cannot take ${count} channels from channel ${start} of ${formatShape(x!.shape)}`;
    });
    return [{ shape: withChannels(x!.shape, count), type: "f32" }];
  },

  reference([x], { start, count }) {
    const { images, channels, pixels } = imageSizes(x!.shape);
    const result = zeros([images, count, ...x!.shape.slice(2)]);
    for (let image = 0; image < images; image++) {
      const from = (image * channels + start) * pixels;
      for (let i = 0; i < count * pixels; i++)
        result.data[image * count * pixels + i] = x!.data[from + i]!;
    }
    return [result];
  },
};
