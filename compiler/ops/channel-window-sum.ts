import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * y[n, c] = sum of x[n, c - before] ... x[n, c + after], the channels that exist: the sums of LRN.
 */
export const channelWindowSum: OpDefinition<"channelWindowSum"> = {
  outputs([x]) {
    return [{ shape: x!.shape, type: "f32" }];
  },

  /** Channel j was added to the outputs j - after ... j + before: the window reversed. */
  gradient(builder, node, [dy]) {
    const { before, after } = node.attributes;
    return [builder.add("channelWindowSum", [dy!], { before: after, after: before }, node.origin)];
  },

  reference(inputs, attributes) {
    const x = inputs[0]!;
    const { images, channels, pixels } = imageSizes(x.shape);
    const y = zeros(x.shape);
    for (let plane = 0; plane < images * channels; plane++) {
      const channel = plane % channels;
      const first = Math.max(channel - attributes.before, 0);
      const last = Math.min(channel + attributes.after, channels - 1);
      for (let pixel = 0; pixel < pixels; pixel++)
        for (let other = first; other <= last; other++)
          y.data[plane * pixels + pixel]! += x.data[(plane - channel + other) * pixels + pixel]!;
    }
    return [y];
  },
};
