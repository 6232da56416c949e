import { BATCH } from "../ir/shape.js";
import { requireLogits } from "./cross-entropy.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/** How many classes come before the label: larger logits, and equal ones of lower index. */
export function rankOf(logits: ArrayLike<number>, label: number): number {
  const own = logits[label]!;
  return Array.from(logits).filter(
    (logit, index) => logit > own || (logit === own && index < label),
  ).length;
}

/** 1 where the label is among the k largest logits, else 0; NaN where a logit is not finite. */
export const accuracy: OpDefinition<"accuracy"> = {
  outputs([logits, labels]) {
    requireLogits([logits!, labels!]);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, { k }) {
    const [logits, labels] = inputs;
    const { images, channels } = imageSizes(logits!.shape);
    const hits = zeros([images]);
    for (let example = 0; example < images; example++) {
      const row = logits!.data.subarray(example * channels, (example + 1) * channels);
      const isHit = rankOf(row, labels!.data[example]!) < k;
      hits.data[example] = row.every(Number.isFinite) ? Number(isHit) : NaN;
    }
    return [hits];
  },
};
