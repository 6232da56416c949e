import type { LabelRule, Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, stored, zeros } from "./tensors.js";

/** Logits are [N, C], labels [N] integers below C; so are the labels of partners, and their shares [N]. */
export function requireLogits([logits, ...others]: readonly Value[]): void {
  const { height, width } = imageShape(logits!.shape);
  ensure(height * width === 1, () => {
    return `expected logits [N, classes], got ${formatShape(logits!.shape)}`;
  });
  ensure(others.length === 1 || others.length === 3, () => {
    return `expected labels, or labels, partners and shares, got ${others.length} values`;
  });
  for (const other of others) requireShape(other, [BATCH]);
}

/** An example's logits, and what each class's negative log-probability counts in its loss. */
interface Example {
  readonly logits: readonly number[];
  readonly targets: readonly number[];
  readonly index: number;
}

/** Visits each example. */
export function forEachExample(
  inputs: readonly Tensor[],
  rule: LabelRule,
  visit: (example: Example) => void,
): void {
  const [logits, labels, partners, shares] = inputs as [Tensor, Tensor, Tensor?, Tensor?];
  const { images, channels: classes } = imageSizes(logits.shape);
  const first = targetsOf(labels, classes, rule);
  const second = partners && targetsOf(partners, classes, rule);
  for (let index = 0; index < images; index++) {
    const row = logits.data.subarray(index * classes, (index + 1) * classes);
    const share = shares?.data[index] ?? 1;
    const targets = Array.from({ length: classes }, (_, label) =>
      second
        ? share * first(index, label) + (1 - share) * second(index, label)
        : first(index, label),
    );
    visit({ logits: Array.from(row), targets, index });
  }
}

/**
 * What each class counts: the label's 1, of which `smoothing` is spread evenly over all classes, each times its class's weight. Weights
 * are brought to a mean of 1 over the batch's labels, so that the mean of the losses is PyTorch's weighted mean.
 */
function targetsOf(
  { data: labels }: Tensor,
  classes: number,
  { smoothing, classWeights }: LabelRule,
): (example: number, label: number) => number {
  const weightOf = (label: number) => classWeights?.[label] ?? 1;
  const total = Array.from(labels).reduce((sum, label) => sum + weightOf(label), 0);
  const scale = labels.length / total;
  return (example, label) => {
    const given = label === labels[example] ? 1 - smoothing : 0;
    return scale * weightOf(label) * (given + smoothing / classes);
  };
}

function logSumOfPowers(logits: readonly number[]): number {
  const maximum = Math.max(...logits);
  return maximum + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
}

/** The loss of each example: - sum over classes of target * log softmax(logits), with PyTorch's label smoothing and class weights. */
export const crossEntropy: OpDefinition<"crossEntropy"> = {
  outputs(inputs) {
    requireLogits(inputs);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, rule) {
    const losses = zeros([inputs[0]!.shape[0]!]);
    forEachExample(inputs, rule, ({ logits, targets, index }) => {
      const total = logSumOfPowers(logits);
      logits.forEach((logit, label) => {
        losses.data[index]! += targets[label]! * (total - logit);
      });
    });
    return [stored(losses, inputs)];
  },
};
