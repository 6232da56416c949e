import { requireShape } from "./checks.js";
import { forEachGroup, groupMoments } from "./groups.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * With y the normalized x and r = 1 / deviation: dx = r (dy - mean(dy) - y mean(dy y)), the means
 * over the group.
 */
export const groupNormalizeGradient: OpDefinition<"groupNormalizeGradient"> = {
  outputs([x, dy]) {
    requireShape(dy!, x!.shape);
    return [{ shape: x!.shape, type: "f32" }];
  },

  reference(inputs, attributes) {
    const [x, dy] = inputs;
    const dx = zeros(x!.shape);
    forEachGroup(x!, attributes, (indices) => {
      const { mean, perDeviation } = groupMoments(x!, indices, attributes.epsilon);
      const normalized = (index: number) => (x!.data[index]! - mean) * perDeviation;
      let [sum, products] = [0, 0];
      for (const index of indices) {
        sum += dy!.data[index]!;
        products += dy!.data[index]! * normalized(index);
      }
      for (const index of indices) {
        const across = dy!.data[index]! - (sum + normalized(index) * products) / indices.length;
        dx.data[index] = perDeviation * across;
      }
    });
    return [dx];
  },
};
