import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { forEachResampled } from "./resample.js";
import { resolveShape, zeros } from "./tensors.js";
import { pooledShape } from "./windows.js";

/** dx: each output's gradient goes back to the pixels it was made of. */
export const resampleGradient: OpDefinition<"resampleGradient"> = {
  outputs([dy], { inputShape, outputSize }) {
    requireShape(dy!, pooledShape(inputShape, outputSize));
    return [{ shape: inputShape, type: "f32" }];
  },

  reference(inputs, attributes, _, [output]) {
    const [dy] = inputs;
    const dx = zeros(resolveShape(output!.shape, dy!.shape[0]!));
    forEachResampled({ x: dx.shape, y: dy!.shape }, attributes, (yAt, xAt, weight) => {
      dx.data[xAt]! += weight * dy!.data[yAt]!;
    });
    return [dx];
  },
};
