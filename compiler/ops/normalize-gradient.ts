import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * What the gradient of `normalize` sums over batch and space, for each channel: the gradients of
 * bias and weight, and with them the part of dy that the statistics take away, as a linear function
 * of x: slope * x + offset.
 */
export const normalizeGradient: OpDefinition<"normalizeGradient"> = {
  outputs([dy, x, mean, variance]) {
    requireShape(dy!, x!.shape);
    requireShape(variance!, mean!.shape);
    const vector = { shape: mean!.shape, type: "f32" } as const;
    return [vector, vector, vector, vector];
  },

  reference(inputs, { epsilon }) {
    const [dy, x, mean, variance] = inputs;
    const { images, channels, pixels } = imageSizes(x!.shape);
    const count = images * pixels;
    const [dBias, dWeight, slope, offset] = [1, 2, 3, 4].map(() => zeros([channels]));
    x!.data.forEach((value, index) => {
      const c = Math.floor(index / pixels) % channels;
      const gradient = dy!.data[index]!;
      dBias!.data[c]! += gradient;
      dWeight!.data[c]! += gradient * (value - mean!.data[c]!);
    });
    for (let c = 0; c < channels; c++) {
      const perDeviation = 1 / Math.sqrt(variance!.data[c]! + epsilon);
      dWeight!.data[c]! *= perDeviation;
      slope!.data[c] = (dWeight!.data[c]! / count) * perDeviation;
      offset!.data[c] = dBias!.data[c]! / count - slope!.data[c]! * mean!.data[c]!;
    }
    return [dBias!, dWeight!, slope!, offset!];
  },
};
