/** What `fit` is told and what it tells: reports on the way, and the result. */
import type { Dataset } from "../data/dataset.js";
import type { Collective } from "./collective.js";
import type { Evaluation } from "./evaluate.js";
import type { Metrics } from "./network.js";
import type { BatchSource } from "./source.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { describe } from "../describe.js";
import { InputError } from "../errors.js";
import { assertInteger, assertKnown, assertNumber, type OptionNames } from "../options.js";
import type { TrainingState } from "./state.js";
import type { WireKind } from "./wire.js";

/** A step that was done. Steps and epochs count from 1. */
export interface StepReport {
  readonly step: number;
  readonly epoch: number;
  /** Steps in the whole run. */
  readonly steps: number;
  readonly metrics: Metrics;
  readonly learningRate: number;
  readonly examplesPerSecond: number;
  /** The share of the time since the step before that was spent waiting for data, 0 to 1. */
  readonly dataWait: number;
}

/** An epoch that was completed, or a part of one that ended with an evaluation or with the run. */
export interface EpochReport {
  readonly step: number;
  readonly epoch: number;
  /** Means over the epoch's steps. */
  readonly training: Metrics;
  readonly evaluation?: Evaluation;
  /** Whether the evaluation is the best of the run so far (best.ts). */
  readonly isBest: boolean;
  /** That the epoch and its evaluation took, with what they took before the run was resumed. */
  readonly seconds: number;
  /** Present where the epoch has more steps: the report is of an evaluation within it. */
  readonly continues?: true;
}

/** A pass over training batches that measures batch normalization for averaged weights. */
export interface StatisticsReport {
  /** Training steps done. */
  readonly step: number;
  /** Batches of the pass, as far as they are known before it. */
  readonly batches: number;
  /** That it took; absent before it. */
  readonly seconds?: number;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Evaluated after each epoch. */
  readonly evaluation?: Dataset | BatchSource | undefined;
  /**
   * Batches in an epoch: required for your own batches, which cannot be counted in advance, unless
   * they come in an array.
   */
  readonly stepsPerEpoch?: number | undefined;
  /** This and the other functions are awaited before the run continues; what they throw ends it. */
  readonly onStep?: (report: StepReport) => unknown;
  readonly onEpoch?: (report: EpochReport) => unknown;
  /**
   * Called before and after batch normalization is measured for the mean of weights of a recipe
   * with `swa`.
   */
  readonly onStatistics?: (report: StatisticsReport) => unknown;
  /** Examples evaluated so far in the evaluation after an epoch. */
  readonly onEvaluationProgress?: (examples: number) => unknown;
  /**
   * Called with the state to save when a run begins, after each epoch (short epochs share one),
   * every `checkpointSeconds` and `checkpointSteps` within one, and when the run ends, early or
   * not.
   */
  readonly checkpoint?: (state: TrainingState) => unknown;
  /** 600 unless told. */
  readonly checkpointSeconds?: number;
  /** Not by steps unless told. */
  readonly checkpointSteps?: number | undefined;
  /**
   * Brings back into the network what `checkpoint` saved last, and resolves to its state. For a run
   * that continues after its device was lost, or that looks for the reason why its loss is not
   * finite. Without it, `fit` keeps a copy in memory whenever a checkpoint is due.
   */
  readonly restore?: () => Promise<TrainingState>;
  /** The device was lost and replaced: the run continues from this state. */
  readonly onRestart?: (state: TrainingState, reason: string) => unknown;
  /**
   * Called before this many steps are repeated, to find the first value that is not finite. The
   * signal ends the search.
   */
  readonly onSearch?: (steps: number) => unknown;
  /** Where a resumed run continues. */
  readonly start?: TrainingState | undefined;
  /** Ends the run after this many steps, instead of the recipe's epochs; schedules span them. */
  readonly steps?: number | undefined;
  /** Ends the run after the current step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The ranks that train together. All call `fit` with the same options on networks of the same
   * module and weights; `batch` is that of all ranks. Each rank takes its part of each batch of a
   * dataset; batches that come ready made are the rank's own parts. The network must be compiled
   * with `exchange: true`. A signal on one rank stops all.
   */
  readonly exchange?: Collective | undefined;
  /**
   * In what numbers gradients travel between ranks: `f32` unless told. `f16` halves the bytes. What
   * rounding removes from a gradient is added to that of the next step.
   */
  readonly wire?: WireKind | undefined;
}

const FIT_OPTIONS: OptionNames<FitOptions> = {
  evaluation: true,
  stepsPerEpoch: true,
  onStep: true,
  onEpoch: true,
  onStatistics: true,
  onEvaluationProgress: true,
  checkpoint: true,
  checkpointSeconds: true,
  checkpointSteps: true,
  restore: true,
  onRestart: true,
  onSearch: true,
  start: true,
  steps: true,
  signal: true,
  exchange: true,
  wire: true,
};

/** Throws InputError for options that `fit` does not have, and for numbers out of range. */
export function checkFitOptions(options: FitOptions): void {
  assertKnown(options, FIT_OPTIONS, "fit");
  const { steps, checkpointSteps, checkpointSeconds } = options;
  if (steps !== undefined) assertInteger(steps, 1, "`steps`");
  if (checkpointSteps !== undefined) assertInteger(checkpointSteps, 1, "`checkpointSteps`");
  if (checkpointSeconds === undefined) return;
  assertNumber(checkpointSeconds, { minimum: 0, maximum: Infinity }, "`checkpointSeconds`");
}

/** Throws InputError for all but recipes, and for numbers that no spec can declare. */
export function checkRecipe(recipe: TrainRecipe): void {
  if (!(recipe instanceof Object)) {
    throw new InputError(
      `\`fit\` trains by a recipe, not ${describe(recipe)}: pass \`recipe\` of the module, ` +
        "which it has if the spec declares `train`",
    );
  }
  const { batch, epochs, seed } = recipe;
  assertInteger(batch, 1, "the recipe's `batch`");
  assertInteger(epochs, 1, "the recipe's `epochs`");
  assertInteger(seed, 0, "the recipe's `seed`");
}

/** The result of `fit`. */
export interface FitResult {
  /** With the best evaluation of the run as `best`. */
  readonly state: TrainingState;
  /** False where the signal ended the run early. */
  readonly completed: boolean;
  /** Whether the recipe's rule ended the run before its last epoch. */
  readonly stoppedEarly?: boolean;
  /** The last evaluation. */
  readonly evaluation?: Evaluation;
}
