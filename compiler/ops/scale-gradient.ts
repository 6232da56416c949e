import { LOSS_SCALE_WORDS } from "../../program/loss-scale.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";

/**
 * The gradient of a loss times its scale, so that what follows from it does not vanish in 16 bits.
 */
export const scaleGradient: OpDefinition<"scaleGradient"> = {
  outputs([dy, state]) {
    requireShape(state!, [LOSS_SCALE_WORDS]);
    return [{ shape: dy!.shape, type: "f32" }];
  },

  reference(inputs) {
    const [dy, state] = inputs;
    const scale = state!.data[0]!;
    return [{ ...dy!, data: Float64Array.from(dy!.data, (value) => scale * value) }];
  },
};
