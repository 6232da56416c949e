import type { Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, stored, zeros } from "./tensors.js";

/** Logits are [N, C], labels [N] integers below C. */
export function requireLogits(logits: Value, labels: Value): void {
  const { height, width } = imageShape(logits.shape);
  ensure(height * width === 1, () => {
    return `expected logits [N, classes], got ${formatShape(logits.shape)}`;
  });
  requireShape(labels, [BATCH]);
}

/** Visits each example's logits and label. */
export function forEachExample(
  [logits, labels]: readonly Tensor[],
  visit: (logits: readonly number[], label: number, example: number) => void,
): void {
  const { images, channels } = imageSizes(logits!.shape);
  for (let example = 0; example < images; example++) {
    const row = logits!.data.subarray(example * channels, (example + 1) * channels);
    visit(Array.from(row), labels!.data[example]!, example);
  }
}

/** What each class should get: 1 for the label, of which `smoothing` is spread evenly over all classes. */
export function targetShare(
  { smoothing, classes }: { readonly smoothing: number; readonly classes: number },
  isLabel: boolean,
): number {
  return (isLabel ? 1 - smoothing : 0) + smoothing / classes;
}

function logSumOfPowers(logits: readonly number[]): number {
  const maximum = Math.max(...logits);
  return maximum + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
}

/** The loss of each example: - sum over classes of target * log softmax(logits), PyTorch's label smoothing. */
export const crossEntropy: OpDefinition<"crossEntropy"> = {
  outputs([logits, labels]) {
    requireLogits(logits!, labels!);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, { smoothing }) {
    const losses = zeros([inputs[0]!.shape[0]!]);
    forEachExample(inputs, (logits, label, example) => {
      const total = logSumOfPowers(logits);
      const classes = logits.length;
      logits.forEach((logit, index) => {
        const target = targetShare({ smoothing, classes }, index === label);
        losses.data[example]! += target * (total - logit);
      });
    });
    return [stored(losses, inputs)];
  },
};
