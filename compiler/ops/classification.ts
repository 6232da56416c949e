import { accuracy } from "./accuracy.js";
import { crossEntropyGradient } from "./cross-entropy-gradient.js";
import { crossEntropy } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";

/** The loss, the hits of each k and, for training, the gradient, in one pass over the logits. */
export const classification: OpDefinition<"classification"> = {
  outputs(inputs, { smoothing, topK, gradient, weight }) {
    return [
      ...crossEntropy.outputs(inputs, { smoothing }),
      ...topK.flatMap((k) => accuracy.outputs(inputs, { k })),
      ...(gradient ? crossEntropyGradient.outputs(inputs, { smoothing, weight }) : []),
    ];
  },

  reference(inputs, { smoothing, topK, gradient, weight }, context, outputs) {
    return [
      ...crossEntropy.reference(inputs, { smoothing }, context, outputs),
      ...topK.flatMap((k) => accuracy.reference(inputs, { k }, context, outputs)),
      ...(gradient
        ? crossEntropyGradient.reference(inputs, { smoothing, weight }, context, outputs)
        : []),
    ];
  },
};
