import { accuracy } from "./accuracy.js";
import { crossEntropyGradient } from "./cross-entropy-gradient.js";
import { crossEntropy } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";

/** The loss, the hits of each k and, for training, the gradient, in one pass over the logits. */
export const classification: OpDefinition<"classification"> = {
  outputs(inputs, { topK, gradient, weight, ...rule }) {
    return [
      ...crossEntropy.outputs(inputs, rule),
      ...topK.flatMap((k) => accuracy.outputs(inputs, { k })),
      ...(gradient ? crossEntropyGradient.outputs(inputs, { ...rule, weight }) : []),
    ];
  },

  reference(inputs, { topK, gradient, weight, ...rule }, context, outputs) {
    return [
      ...crossEntropy.reference(inputs, rule, context, outputs),
      ...topK.flatMap((k) => accuracy.reference(inputs, { k }, context, outputs)),
      ...(gradient
        ? crossEntropyGradient.reference(inputs, { ...rule, weight }, context, outputs)
        : []),
    ];
  },
};
