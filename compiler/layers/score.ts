/** What a loss or a metric is to those who use it. */
import type { Builder } from "../ir/builder.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import type { LabelUnit } from "../ir/shape.js";
import { integer, valueName } from "../calls/argument-types.js";
import {
  type ArgumentDeclarations,
  type ArgumentValues,
  type Described,
  optional,
  required,
} from "../calls/signature.js";

/**
 * A loss or a metric: one number per example, of what the network makes and what it should have
 * made.
 */
export interface ScoreDefinition<
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Described<Declarations> {
  /** How a model writes it. */
  readonly example: string;
  /**
   * `labels`: logits [N, C] against classes [N], or of pixels or tokens; `values`: numbers against
   * numbers of the same shape; `logits`: against another value of the network, which is a constant;
   * `boxes`: a grid of cells [N, 5 + C, H, W] against boxes.
   */
  readonly against: "labels" | "values" | "logits" | "boxes";
  /**
   * Of a score of labels, what these are of: of images unless given; of pixels, logits [N, C, H, W]
   * against [N, H, W]; of tokens, logits [N, T, C] against [N, T].
   */
  readonly labelsOf?: readonly LabelUnit[];
  /** A layer that the score applies itself, and that must not precede it. */
  readonly applies?: "softmax" | "sigmoid";
  /** Whether it is a share of something, shown as a percentage. */
  readonly isFraction?: true;
  /** Whether it is e to the power of its mean. */
  readonly isExponential?: true;
  /** Whether it is a mean over classes: what it is made of has sums for each. */
  readonly isByClass?: true;
  /**
   * What the mean is over where it is over labels and no class weighs more than others: one each.
   * Scores of pixels and tokens are means over their labels, but for those that say `examples`.
   */
  readonly meanOf?: "labels" | "examples";
  /** What the mean is over, by class; as `meanOf` says if absent or undefined. */
  classWeights?(values: ArgumentValues<NoInfer<Declarations>>): readonly number[] | undefined;
  /** Adds the op and returns its [N] output, or sums by row and class (`ScoreTerm.value`). */
  lower(
    inputs: readonly [prediction: Value, target: Value],
    values: ArgumentValues<NoInfer<Declarations>>,
    builder: Builder,
    origin: Origin,
  ): Value;
}

export function define<const Declarations extends ArgumentDeclarations>(
  definition: ScoreDefinition<Declarations>,
): ScoreDefinition {
  return definition;
}

/** What scores of classes are taken of. */
export const ofLabels = {
  logits: required(valueName(), "the network's output, one number per class"),
  labels: required(valueName(), "the model's target"),
};

export const ignored = optional(
  integer({ minimum: 0 }),
  "the ignore index: pixels or tokens with this label do not count in loss and metrics",
);

/** What scores of numbers are taken of. */
export const ofValues = {
  prediction: required(valueName(), "the network's output"),
  target: required(valueName(), "the model's target, or its input, of the same shape"),
};
