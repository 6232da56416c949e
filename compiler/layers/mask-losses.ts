/** Losses for classes that differ much in how often they occur: focal losses and Dice. */
import { each } from "../diagnostics/alias.js";
import {
  add,
  binary,
  constant,
  multiply,
  operand,
  subtract,
  unary,
  type Expression,
} from "../ir/expression.js";
import { derivative } from "../ir/expression-derivative.js";
import { BATCH } from "../ir/shape.js";
import { float, floats } from "../calls/argument-types.js";
import { optional, withDefault } from "../calls/signature.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { binaryCrossEntropy } from "./binary-cross-entropy.js";
import { power } from "./formula-power.js";
import { define, ignored, ofLabels, ofValues } from "./score.js";

export const focal = define({
  name: "focal",
  example: "focal(logits, label, gamma=2)",
  aliases: ["FocalLoss", "focal_loss", "CategoricalFocalCrossentropy"],
  summary: "cross-entropy that counts what is well classified less",
  against: "labels",
  labelsOf: ["image", "pixel", "token"],
  applies: "softmax",
  meanOf: "labels",
  positional: ["logits", "labels"],
  arguments: {
    ...ofLabels,
    gamma: withDefault(
      float({ minimum: 0 }),
      2,
      "a label counts (1 - p)^gamma, p being its probability",
    ),
    class_weights: optional(
      floats({ above: 0 }),
      "weight of each class; the loss is the weighted mean",
    ),
    ignore: ignored,
  },
  classWeights: ({ class_weights }) => class_weights,
  lower: ([logits, labels], { gamma, class_weights }, builder, origin) => {
    const focus = gamma === 0 ? undefined : gamma;
    const rule = { smoothing: 0, ...withoutUndefined({ classWeights: class_weights, focus }) };
    // Logits of images are those of one pixel.
    const shape = [BATCH, logits.shape[1]!, 1, 1] as const;
    const isOfImages = labels.shape.length === 1;
    const pixels = isOfImages ? builder.add("reshape", [logits], { shape }, origin) : logits;
    const rows = builder.add("pixelCrossEntropy", [pixels, labels], rule, origin);
    return builder.add("exampleSum", [rows], {}, origin);
  },
});

export const dice = define({
  name: "dice",
  example: "dice(logits, mask, ignore=255)",
  aliases: [
    ...["DiceLoss", "dice_loss", "soft_dice"],
    ...each(["iou", "jaccard", "JaccardLoss"], {
      differs: "it divides by the union; `dice` by the sum of both",
    }),
    { name: "GeneralizedDiceLoss", differs: "it weighs classes by their size; `dice` does not" },
  ],
  summary: "soft Dice loss: one minus the overlap of probabilities and mask, by class",
  against: "labels",
  labelsOf: ["pixel", "token"],
  applies: "softmax",
  meanOf: "examples",
  positional: ["logits", "labels"],
  arguments: {
    ...ofLabels,
    smooth: withDefault(
      float({ above: 0 }),
      1e-5,
      "is added above and below each class's fraction, so that an absent class has one",
    ),
    ignore: ignored,
  },
  lower: (inputs, { smooth }, builder, origin) => {
    const sums = builder.add("diceSums", inputs, {}, origin);
    return builder.add("dice", [sums], { smooth }, origin);
  },
});

const [x, target] = [operand(0), operand(1)];
/** Of a target of 1, the probability of 0, and the reverse. */
const rest = add(
  multiply(target, unary("sigmoid", unary("negate", x))),
  multiply(subtract(constant(1), target), unary("sigmoid", x)),
);

const focusOf = (gamma: number): Expression => power(rest, constant(gamma));

/** Where the rest is as good as 0, its power below 0 is left finite. */
function slopeOfFocus(gamma: number): Expression {
  if (gamma === 0) return constant(0);
  const base = gamma < 1 ? binary("maximum", rest, constant(1e-30)) : rest;
  const outer = multiply(constant(gamma), power(base, constant(gamma - 1)));
  return multiply(outer, derivative(rest, { kind: "operand", index: 0 }));
}

export const sigmoidFocal = define({
  name: "sigmoid_focal",
  example: "sigmoid_focal(output, target, alpha=0.25, gamma=2)",
  aliases: [
    ...["sigmoid_focal_loss", "BinaryFocalCrossentropy", "SigmoidFocalLoss"],
    { name: "BinaryFocalLoss", differs: "some have no alpha: `alpha=0.5` is half of these" },
  ],
  summary: "binary cross-entropy that counts what is right already less",
  applies: "sigmoid",
  against: "values",
  positional: ["prediction", "target"],
  arguments: {
    ...ofValues,
    alpha: withDefault(
      float({ above: 0, below: 1 }),
      0.25,
      "what targets of 1 count; those of 0 count 1 - alpha",
    ),
    gamma: withDefault(
      float({ minimum: 0 }),
      2,
      "a number counts (1 - p)^gamma, p being the probability of its target",
    ),
  },
  lower: (inputs, { alpha, gamma }, builder, origin) => {
    const { expression: entropy, slope } = binaryCrossEntropy(1);
    const weight = add(constant(1 - alpha), multiply(constant(2 * alpha - 1), target));
    const rule = {
      expression: multiply(weight, multiply(focusOf(gamma), entropy)),
      slope: multiply(
        weight,
        add(multiply(slopeOfFocus(gamma), entropy), multiply(focusOf(gamma), slope!)),
      ),
    };
    return builder.add("elementLoss", inputs, rule, origin);
  },
});
