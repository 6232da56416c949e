import { type Alias, each } from "../diagnostics/alias.js";
import { add, constant, multiply, operand, subtract, unary } from "../ir/expression.js";
import { derivative } from "../ir/expression-derivative.js";
import { leaves } from "../ir/expression-transform.js";
import type { Builder } from "../ir/builder.js";
import type { ElementLossAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { labelUnit } from "../ir/shape.js";
import { float, floats, integer } from "../calls/argument-types.js";
import { optional, required, withDefault } from "../calls/signature.js";
import { formulaType } from "./formula.js";
import { binaryCrossEntropy, weightedCrossEntropy } from "./binary-cross-entropy.js";
import { kl } from "./kl.js";
import { dice, focal, sigmoidFocal } from "./mask-losses.js";
import { yolo } from "./yolo.js";
import { define, ignored, ofLabels, ofValues, type ScoreDefinition } from "./score.js";

export type { ScoreDefinition } from "./score.js";

type ElementScore = Pick<
  ScoreDefinition,
  "name" | "example" | "aliases" | "summary" | "applies" | "isFraction"
> &
  ElementLossAttributes;

/** The mean over an example's elements of an expression of prediction and target. */
function elementwise({ expression, slope, ...words }: ElementScore): ScoreDefinition {
  return define({
    ...words,
    against: "values",
    positional: ["prediction", "target"],
    arguments: ofValues,
    lower: (inputs, _, builder, origin) =>
      builder.add("elementLoss", inputs, { expression, slope }, origin),
  });
}

/** Whether an example has several labels: of its pixels, [N, H, W], or of its tokens, [N, T]. */
const areSeveral = ({ shape }: Value): boolean => labelUnit(shape) !== "image";

/** How many pixels or tokens of an example are among the k largest; ignored ones are not. */
function hitsOf(inputs: readonly Value[], k: number, builder: Builder, origin: Origin): Value {
  const rows = builder.add("pixelHits", inputs, { k }, origin);
  return builder.add("exampleSum", [rows], {}, origin);
}

const [x, target] = [operand(0), operand(1)];
const difference = subtract(x, target);
const negated = unary("negate", difference);
const distance = add(unary("relu", difference), unary("relu", negated));
/** -1, 0 or 1. */
const direction = subtract(unary("positive", difference), unary("positive", negated));

/** The mean of a value itself. */
const MEAN: ElementLossAttributes = { expression: x, slope: constant(1) };

const squaredErrorNames = [
  ...["MSELoss", "mean_squared_error", "mse_loss"],
  {
    name: "l2",
    differs:
      "an L2 loss is often a sum, or half of one, and `mse` is a mean; a penalty of weights is " +
      "`weight_decay` of the recipe",
  },
  { name: "EuclideanLoss", differs: "Caffe has half the sum of squares; `mse` is their mean" },
] as const satisfies readonly Alias[];

const squaredError = {
  name: "mse",
  example: "mse(output, target)",
  aliases: squaredErrorNames,
  summary: "mean squared error",
  expression: multiply(difference, difference),
  slope: multiply(constant(2), difference),
};

/**
 * `mean(FORMULA)`, as a loss and as a metric: what a spec says itself where no other score does.
 */
export const formulaScore = define({
  name: "mean",
  example: "mean((output - target)^2)",
  aliases: ["reduce_mean"],
  summary: "the mean over its elements of a formula of values and a target, or of values alone",
  against: "values",
  positional: ["prediction", "target"],
  arguments: {
    ...ofValues,
    expression: required(formulaType, "what is computed for an element"),
    classes: optional(
      integer({ minimum: 1 }),
      "of a target, over whose pixels or tokens the mean is",
    ),
  },
  lower: (inputs, { expression, classes }, builder, origin) => {
    if (classes !== undefined) {
      const rows = builder.add("labelMean", inputs, { classes }, origin);
      return builder.add("exampleSum", [rows], {}, origin);
    }
    const slope = derivative(expression, { kind: "operand", index: 0 });
    const isCompared = leaves(expression).some(({ index }) => index === 1);
    const read = isCompared ? inputs : inputs.slice(0, 1);
    return builder.add("elementLoss", read, { expression, slope }, origin);
  },
});

export const losses: readonly ScoreDefinition[] = [
  define({
    name: "cross_entropy",
    example: "cross_entropy(logits, label, label_smoothing=0.1)",
    aliases: [
      ...["CrossEntropyLoss", "crossentropy", "softmax_cross_entropy", "SoftmaxWithLoss"],
      ...each(["nll", "NLLLoss", "nll_loss"], {
        differs: "it takes log-probabilities; `cross_entropy` takes logits, without `log_softmax`",
      }),
      ...each(["SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"], {
        differs: "Keras takes probabilities unless told; `cross_entropy` takes logits, no softmax",
      }),
      ...each(["CategoricalCrossentropy", "categorical_crossentropy"], {
        differs: "Keras takes probabilities and one-hot labels; here logits and class numbers",
      }),
    ],
    summary: "cross-entropy of logits and labels: softmax and negative log-likelihood",
    against: "labels",
    labelsOf: ["image", "pixel", "token"],
    applies: "softmax",
    positional: ["logits", "labels"],
    arguments: {
      ...ofLabels,
      label_smoothing: withDefault(
        float({ minimum: 0, below: 1 }),
        0,
        "share of the target probability that is spread over all classes",
      ),
      class_weights: optional(
        floats({ above: 0 }),
        "weight of each class; the loss is the weighted mean",
      ),
      ignore: ignored,
    },
    classWeights: ({ class_weights }) => class_weights,
    lower: (inputs, { label_smoothing: smoothing, class_weights }, builder, origin) => {
      const rule = { smoothing, classWeights: class_weights };
      if (!areSeveral(inputs[1])) return builder.add("crossEntropy", inputs, rule, origin);
      const rows = builder.add("pixelCrossEntropy", inputs, rule, origin);
      return builder.add("exampleSum", [rows], {}, origin);
    },
  }),
  focal,
  dice,
  elementwise(squaredError),
  elementwise({
    name: "l1",
    example: "l1(output, target)",
    aliases: ["L1Loss", "l1_loss", "mae", "mean_absolute_error", "absolute_error"],
    summary: "mean absolute error",
    expression: distance,
    slope: direction,
  }),
  define({
    name: "bce_with_logits",
    example: "bce_with_logits(output, target)",
    aliases: [
      ...["BCEWithLogitsLoss", "binary_cross_entropy_with_logits"],
      ...each(
        ["bce", "BCELoss", "binary_cross_entropy", "binary_crossentropy", "BinaryCrossentropy"],
        { differs: "it takes probabilities; `bce_with_logits` takes logits, without a `sigmoid`" },
      ),
      {
        name: "SigmoidCrossEntropyLoss",
        differs: "Caffe divides by the number of examples only, netc by that of all numbers",
      },
    ],
    summary: "binary cross-entropy of logits and targets from 0 to 1, with the sigmoid inside",
    applies: "sigmoid",
    against: "values",
    positional: ["prediction", "target"],
    arguments: {
      ...ofValues,
      pos_weight: withDefault(
        floats({ above: 0 }),
        [1],
        "what targets of 1 count, compared with those of 0; a list has a number for each class",
      ),
    },
    lower: (inputs, { pos_weight: values }, builder, origin) => {
      const [first = 1, ...others] = values;
      const isSame = others.every((each) => each === first);
      if (isSame) return builder.add("elementLoss", inputs, binaryCrossEntropy(first), origin);
      const weights = builder.add("table", [], { values }, origin);
      const rule = { expression: weightedCrossEntropy };
      const losses = builder.add("pointwise", [...inputs, weights], rule, origin);
      return builder.add("elementLoss", [losses], MEAN, origin);
    },
  }),
  sigmoidFocal,
  kl,
  yolo,
];

export const metrics: readonly ScoreDefinition[] = [
  define({
    name: "accuracy",
    example: "accuracy(logits, label, k=5)",
    aliases: [
      ...["Accuracy", "acc", "top1"],
      { name: "top5", defaults: { k: "5" } },
      ...each(["top_k", "topk"], { given: ["k"] }),
      ...each(["top_k", "topk"], { differs: "`k` says how many count: `accuracy(x, label, k=5)`" }),
    ],
    summary:
      "top-k accuracy: the share of examples, or tokens, whose label is among the k largest logits",
    isFraction: true,
    against: "labels",
    labelsOf: ["image", "token"],
    positional: ["logits", "labels"],
    arguments: {
      ...ofLabels,
      k: withDefault(integer({ minimum: 1 }), 1, "how many of the largest logits count"),
    },
    lower: (inputs, { k }, builder, origin) =>
      areSeveral(inputs[1])
        ? hitsOf(inputs, k, builder, origin)
        : builder.add("accuracy", inputs, { k }, origin),
  }),
  define({
    name: "perplexity",
    example: "perplexity(logits, next)",
    aliases: ["Perplexity", "ppl"],
    summary:
      "perplexity: e to the power of the mean cross-entropy of all tokens that count, " +
      "without smoothing or weights",
    isExponential: true,
    against: "labels",
    labelsOf: ["token"],
    positional: ["logits", "labels"],
    arguments: ofLabels,
    lower: (inputs, _, builder, origin) => {
      const rows = builder.add("pixelCrossEntropy", inputs, { smoothing: 0 }, origin);
      return builder.add("exampleSum", [rows], {}, origin);
    },
  }),
  define({
    name: "miou",
    example: "miou(logits, mask)",
    aliases: [
      ...["mIoU", "MeanIoU", "mean_iou", "iou", "jaccard", "JaccardIndex"],
      ...each(["DiceScore", "dice_score"], {
        differs: "it counts the overlap twice; `miou` divides the overlap by the union",
      }),
    ],
    summary: "mean intersection over union (mIoU) over the classes",
    isFraction: true,
    against: "labels",
    labelsOf: ["pixel"],
    isByClass: true,
    positional: ["logits", "labels"],
    arguments: ofLabels,
    lower: (inputs, _, builder, origin) => builder.add("pixelOverlaps", inputs, {}, origin),
  }),
  define({
    name: "pixel_accuracy",
    example: "pixel_accuracy(logits, mask)",
    aliases: ["PixelAccuracy", "pixel_acc", "pixAcc"],
    summary: "pixel accuracy: the share of pixels whose label has the largest logit",
    isFraction: true,
    against: "labels",
    labelsOf: ["pixel"],
    positional: ["logits", "labels"],
    arguments: ofLabels,
    lower: (inputs, _, builder, origin) => hitsOf(inputs, 1, builder, origin),
  }),
  elementwise({ ...squaredError, aliases: [...squaredError.aliases, "MeanSquaredError"] }),
  elementwise({
    name: "mae",
    example: "mae(output, target)",
    aliases: ["MeanAbsoluteError", "l1", "mean_absolute_error"],
    summary: "mean absolute error",
    expression: distance,
  }),
  elementwise({
    name: "binary_accuracy",
    example: "binary_accuracy(output, target)",
    aliases: each(["BinaryAccuracy", "multilabel_accuracy"], {
      differs: "it may take probabilities and a threshold; here logits count that are above 0",
    }),
    summary: "binary accuracy: the share of logits with the right sign for targets 0 and 1",
    isFraction: true,
    expression: subtract(
      constant(1),
      unary("positive", multiply(x, subtract(constant(1), multiply(constant(2), target)))),
    ),
  }),
];
