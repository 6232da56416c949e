/** Hints that the means of epochs give. */
import type { EpochReport } from "../../../runtime/training/index.js";
import { visible } from "../../../program/visible.js";
import { formatNumber, formatPercent } from "../../format.js";
import type { Hint } from "./hint.js";

export interface EpochFacts {
  /** Classes that one softmax tells apart; undefined for other losses. */
  readonly classes: number | undefined;
  /** Shares of the classes in the train split, where they are known. */
  readonly shares: readonly number[] | undefined;
  /** Metrics that are shares of something. */
  readonly fractions: readonly string[];
}

/** Before this many steps at a rate that counts, a loss may just be slow to fall. */
const SETTLED_STEPS = 100;
/** A loss this close to that of guessing is that of guessing. */
const NEAR = 0.01;

export interface WarmEpoch extends Pick<EpochReport, "step" | "epoch" | "training"> {
  /** Steps with at least half of the recipe's learning rate: those of a warmup teach little. */
  readonly warmSteps: number;
}

/**
 * The training loss of a network that has learned nothing: ln(classes), or the entropy of the
 * classes' shares where it has learned only these.
 */
export function findStuckLoss(
  { step, epoch, training, warmSteps }: WarmEpoch,
  { classes, shares }: EpochFacts,
): Hint | undefined {
  const { loss } = training;
  if (loss === undefined || classes === undefined || classes < 2) return;
  if (warmSteps < SETTLED_STEPS) return;
  const guesses = [
    [`ln(${classes} classes)`, Math.log(classes)] as const,
    ...(shares ? [["the entropy of the classes' shares", entropyOf(shares)] as const] : []),
  ];
  // Of a single class there is nothing to learn, and the loss is rightly 0.
  const guess = guesses.find(([, value]) => value > 0 && Math.abs(loss - value) <= NEAR * value);
  if (!guess) return;
  return {
    name: "stuck-loss",
    text:
      `after ${epoch} epochs and ${step} steps the training loss is ${formatNumber(loss)}: ` +
      `${guess[0]}, the loss of guessing, is ${formatNumber(guess[1])}`,
    advice:
      "test learning rates with `netc train SPEC --find-lr`; check that pictures and labels " +
      "belong together, and that `normalize` fits the data",
  };
}

function entropyOf(shares: readonly number[]): number {
  return shares.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
}

/** From this difference on, the network has memorized its training data. */
const GAP = 0.2;

/** A single evaluation may go wrong while the learning rate is high. */
export const OVERFITTING_EPOCHS = 3;

export type EvaluatedEpoch = Pick<EpochReport, "epoch" | "training" | "evaluation">;

/**
 * Training far better than the evaluation, beyond what few examples explain. Takes the last epochs
 * of a run: the hint needs `OVERFITTING_EPOCHS` of them.
 */
export function findOverfitting(
  epochs: readonly EvaluatedEpoch[],
  { fractions }: EpochFacts,
): Hint | undefined {
  const [name] = fractions;
  const last = epochs.slice(-OVERFITTING_EPOCHS);
  if (name === undefined || last.length < OVERFITTING_EPOCHS) return;
  const trained = meanOf(last.map(({ training }) => training[name]));
  const evaluated = meanOf(last.map(({ evaluation }) => evaluation?.metrics[name]));
  if (trained === undefined || evaluated === undefined) return;
  // Two standard deviations of a share of few examples.
  const chance = 1 / Math.sqrt(Math.max(1, last[0]!.evaluation!.examples));
  if (trained - evaluated <= GAP + chance) return;
  return {
    name: "overfitting",
    text:
      `in epochs ${last[0]!.epoch} to ${last.at(-1)!.epoch}, ${name} is ` +
      `${formatPercent(trained)} in training and ${formatPercent(evaluated)} in the evaluation`,
    advice:
      "more data, or augmentation that changes pictures more, help most; then weight decay, " +
      "dropout, fewer channels; if both splits should be alike, compare their transforms",
  };
}

/** Undefined where a value is. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return undefined;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** A loss of adversarial training below this is one that has been won. */
const WON = 0.01;
/** By how much the largest loss of another step exceeds it. */
const LEAD = 100;

/** A step whose loss is nearly 0 while another's is large: a discriminator that is never wrong. */
export function findOneSided(
  { epoch, training }: Pick<EpochReport, "epoch" | "training">,
  steps: readonly string[],
): Hint | undefined {
  const losses = steps.map((name) => [name, training[name] ?? NaN] as const);
  const won = losses.find(([, loss]) => loss >= 0 && loss < WON);
  const lost = losses.find(([, loss]) => won && loss > Math.max(LEAD * won[1], 1));
  if (!won || !lost) return undefined;
  return {
    name: "one-sided",
    text:
      `in epoch ${epoch} the loss of step ${won[0]} is ${formatNumber(won[1])}, and that of ` +
      `step ${lost[0]} ${formatNumber(lost[1])}: one part no longer learns from the other`,
    advice:
      `a lower learning rate for step ${won[0]}, dropout or fewer channels where it updates, ` +
      "or targets that are not quite 0 and 1 (label smoothing)",
  };
}

/** A class that gets this share of the predictions gets nearly all. */
const MOST_PREDICTIONS = 0.8;
/** A class that most examples are of may well get most predictions. */
const MOST_EXAMPLES = 0.6;
/** With fewer examples, chance does the same. */
const LEAST_EXAMPLES = 10;

/** One class for nearly all examples: rows of the matrix are true classes. */
export function findOneClass(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
): Hint | undefined {
  const total = confusion.flat().reduce((sum, count) => sum + count, 0);
  if (total < LEAST_EXAMPLES || confusion.length < 2) return;
  const shareOf = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0) / total;
  for (const [label, name] of names.entries()) {
    const predicted = shareOf(confusion.map((row) => row[label]!));
    const actual = shareOf(confusion[label]!);
    if (predicted < MOST_PREDICTIONS || actual > MOST_EXAMPLES) continue;
    return {
      name: "one-class",
      text:
        `${formatPercent(predicted)} of the predictions are ${visible(name)}, ` +
        `which ${formatPercent(actual)} of the examples are`,
      advice:
        "if the loss falls, train longer; else test learning rates with " +
        "`netc train SPEC --find-lr`; `class_weights` help where classes differ in size",
    };
  }
  return undefined;
}
