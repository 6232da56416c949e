import { requireShape } from "./checks.js";
import { convolvedShape } from "./convolution.js";
import type { OpDefinition } from "./op.js";
import { channelRun, forEachTap } from "./taps.js";
import { resolveShape, zeros } from "./tensors.js";

/** dw, summed over the batch and all places where a weight is used. */
export const convolutionWeightGradient: OpDefinition<"convolutionWeightGradient"> = {
  outputs([x, dy], attributes) {
    requireShape(dy!, convolvedShape(x!.shape, attributes.weightShape, attributes));
    return [{ shape: attributes.weightShape, type: "f32" }];
  },

  reference([x, dy], attributes) {
    const dw = zeros(resolveShape(attributes.weightShape, x!.shape[0]!));
    const { count, xStep, wStep } = channelRun(x!.shape, attributes);
    forEachTap({ x: x!.shape, y: dy!.shape }, attributes, (yAt, xAt, wAt) => {
      const gradient = dy!.data[yAt]!;
      for (let channel = 0; channel < count; channel++)
        dw.data[wAt + channel * wStep]! += gradient * x!.data[xAt + channel * xStep]!;
    });
    return [dw];
  },
};
