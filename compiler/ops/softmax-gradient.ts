import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { forEachPixel } from "./softmax.js";
import { zeros } from "./tensors.js";

/** dx = y * (dy - sum over channels of y * dy). */
export const softmaxGradient: OpDefinition<"softmaxGradient"> = {
  outputs([y, dy]) {
    requireShape(dy!, y!.shape);
    return [{ shape: y!.shape, type: "f32" }];
  },

  reference(inputs) {
    const [y, dy] = inputs;
    const dx = zeros(y!.shape);
    forEachPixel(y!, (shares, index) => {
      const gradients = shares.map((_, channel) => dy!.data[index(channel)]!);
      const mean = shares.reduce((sum, share, channel) => sum + share * gradients[channel]!, 0);
      shares.forEach((share, channel) => {
        dx.data[index(channel)] = share * (gradients[channel]! - mean);
      });
    });
    return [dx];
  },
};
