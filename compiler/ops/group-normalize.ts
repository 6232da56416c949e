import { forEachGroup, groupMoments, requireGroups } from "./groups.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * Each group of channels to mean 0 and variance 1, in each image by itself (Wu and He, "Group
 * normalization", ECCV 2018) or at each of its pixels (with one group, Ba, Kiros and Hinton, "Layer
 * normalization", 2016).
 */
export const groupNormalize: OpDefinition<"groupNormalize"> = {
  outputs([x], attributes) {
    requireGroups(x!.shape, attributes);
    return [{ shape: x!.shape, type: "f32" }];
  },

  gradient(builder, { inputs, attributes, origin }, [dy]) {
    return [builder.add("groupNormalizeGradient", [inputs[0]!, dy!], attributes, origin)];
  },

  reference(inputs, attributes) {
    const [x] = inputs;
    const y = zeros(x!.shape);
    forEachGroup(x!, attributes, (indices) => {
      const { mean, perDeviation } = groupMoments(x!, indices, attributes.epsilon);
      for (const index of indices) y.data[index] = (x!.data[index]! - mean) * perDeviation;
    });
    return [y];
  },
};
