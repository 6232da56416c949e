import { BATCH } from "../ir/shape.js";
import { forEachExample, requireLogits } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";
import { stored, zeros } from "./tensors.js";

/** How many classes come before the label: larger logits, and equal ones of lower index. */
function rankOf(logits: readonly number[], label: number): number {
  const own = logits[label]!;
  return logits.filter((logit, index) => logit > own || (logit === own && index < label)).length;
}

/** 1 where the label is among the k largest logits, else 0. */
export const accuracy: OpDefinition<"accuracy"> = {
  outputs([logits, labels]) {
    requireLogits(logits!, labels!);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, { k }) {
    const hits = zeros([inputs[0]!.shape[0]!]);
    forEachExample(inputs, (logits, label, example) => {
      hits.data[example] = rankOf(logits, label) < k ? 1 : 0;
    });
    return [stored(hits, inputs)];
  },
};
