import { requireShape } from "./checks.js";
import { convolvedShape } from "./convolution.js";
import { applyFused } from "./fused.js";
import type { OpDefinition } from "./op.js";
import { channelRun, forEachTap } from "./taps.js";
import { resolveShape, stored, zeros } from "./tensors.js";

/** dx: each output's gradient goes back along the taps it was made of. */
export const convolutionInputGradient: OpDefinition<"convolutionInputGradient"> = {
  outputs([dy, w], attributes) {
    requireShape(dy!, convolvedShape(attributes.inputShape, w!.shape, attributes));
    return [{ shape: attributes.inputShape, type: "f32" }];
  },

  reference(inputs, attributes, context, [output]) {
    const [dy, w] = inputs;
    const dx = zeros(resolveShape(output!.shape, dy!.shape[0]!));
    const { count, xStep, wStep } = channelRun(dx.shape, attributes);
    forEachTap({ x: dx.shape, y: dy!.shape }, attributes, (yAt, xAt, wAt) => {
      const gradient = dy!.data[yAt]!;
      for (let channel = 0; channel < count; channel++)
        dx.data[xAt + channel * xStep]! += gradient * w!.data[wAt + channel * wStep]!;
    });
    return [stored(applyFused(attributes.epilogue, dx, inputs, context), inputs)];
  },
};
