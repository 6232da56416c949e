import type { LabelRule, Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * Logits are [N, C], labels [N] integers below C; so are the labels of partners, and their shares
 * [N].
 */
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

/**
 * One of the labels of an example, and what it counts of the example: 1 where there is no other.
 */
export interface Labeled {
  readonly share: number;
  /** What each class's negative log-probability counts. */
  readonly targets: readonly number[];
  /** What the mean over a step with these labels divides by. */
  readonly total: number;
}

interface Example {
  readonly logits: readonly number[];
  /** Of its label and, of a mixed image, its partner's. */
  readonly labels: readonly Labeled[];
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
  const kinds = [labels, ...(partners ? [partners] : [])].map((each) => {
    return { targetsAt: targetsOf(each, classes, rule), total: totalOf(each, rule) };
  });
  for (let index = 0; index < images; index++) {
    const row = logits.data.subarray(index * classes, (index + 1) * classes);
    const share = shares?.data[index] ?? 1;
    const labeled = kinds.map(({ targetsAt, total }, kind) => {
      return { share: kind === 0 ? share : 1 - share, targets: targetsAt(index), total };
    });
    visit({ logits: Array.from(row), labels: labeled, index });
  }
}

const weightOf = ({ classWeights }: LabelRule, label: number) => classWeights?.[label] ?? 1;

const totalOf = ({ data }: Tensor, rule: LabelRule) =>
  Array.from(data).reduce((sum, label) => sum + weightOf(rule, label), 0);

/**
 * What each class counts: the label's 1, of which `smoothing` is spread evenly over all classes,
 * each times its class's weight.
 */
export function targetsOf(
  { data: labels }: Tensor,
  classes: number,
  rule: LabelRule,
): (example: number) => readonly number[] {
  const { smoothing } = rule;
  return (example) =>
    Array.from({ length: classes }, (_, label) => {
      const given = label === labels[example] ? 1 - smoothing : 0;
      return weightOf(rule, label) * (given + smoothing / classes);
    });
}

/** log(sum exp(x)); the maximum is subtracted first, so that nothing overflows. */
export function logSumOfPowers(logits: readonly number[]): number {
  const maximum = Math.max(...logits);
  return maximum + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
}

/** Whether partners have a separate sum: by class weights, it is over another weight. */
const separatesPartners = (inputs: readonly unknown[], { classWeights }: LabelRule) =>
  inputs.length > 2 && classWeights !== undefined;

/**
 * What each example adds to the loss's sum: - sum over classes of target * log softmax(logits),
 * with PyTorch's label smoothing and class weights. PyTorch's mean is the sum over all examples,
 * divided by their number or by the weights of their labels.
 */
export const crossEntropy: OpDefinition<"crossEntropy"> = {
  outputs(inputs, rule) {
    requireLogits(inputs);
    const losses = { shape: [BATCH], type: "f32" } as const;
    return separatesPartners(inputs, rule) ? [losses, losses] : [losses];
  },

  reference(inputs, rule) {
    const images = inputs[0]!.shape[0]!;
    const sums = separatesPartners(inputs, rule) ? [zeros([images]), zeros([images])] : [];
    const [first = zeros([images]), second = first] = sums;
    forEachExample(inputs, rule, ({ logits, labels, index }) => {
      const total = logSumOfPowers(logits);
      labels.forEach(({ share, targets }, kind) => {
        const losses = kind === 0 ? first : second;
        logits.forEach((logit, label) => {
          losses.data[index]! += share * targets[label]! * (total - logit);
        });
      });
    });
    return [...new Set([first, second])];
  },
};
