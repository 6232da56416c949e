/**
 * Why a run's numbers ceased to be finite: the steps since the last checkpoint, done again, show
 * where they began.
 */
import type { TrainRecipe } from "../../program/recipe.js";
import { isNamed } from "../named-errors.js";
import type { NotFiniteEvaluationError } from "./error.js";
import { describeCulprit, DivergedError, HALF_HINT, type Divergence } from "./error.js";
import type { Evaluation } from "./evaluate.js";
import type { TrainableNetwork } from "./network.js";
import { findNonFinite } from "./non-finite.js";
import type { Progress } from "./progress.js";
import type { Steps } from "./steps.js";
import type { TrainingBatch } from "./source.js";

/** A run, as far as it can be gone back in and repeated. */
export interface Repeatable {
  readonly network: TrainableNetwork;
  readonly recipe: TrainRecipe;
  readonly progress: Progress;
  readonly steps: Steps;
  /** Whether the search should end. */
  readonly stopped: boolean;
  /** Brings network and progress back to what was saved last. */
  restore(): Promise<void>;
  evaluate(): Promise<Evaluation | undefined>;
  /** Called before this many steps are repeated. */
  onSearch?(steps: number): void | Promise<void>;
}

/** What was found not to be finite, after which step, counted from 1. */
export interface Symptom {
  /** `the loss is NaN`. */
  readonly what: string;
  readonly step: number;
  readonly learningRate: number;
}

/**
 * What is to be said of numbers that are not finite. The network is no longer that of the run
 * afterwards.
 */
export async function explainDivergence(run: Repeatable, symptom: Symptom): Promise<DivergedError> {
  const { step } = symptom;
  const divergence = await search(run, step).catch((error: unknown): Divergence => {
    if (run.stopped || isNamed(error, "InputError") || isNamed(error, "DeviceLostError"))
      return { step };
    throw error;
  });
  return divergedError(symptom, divergence);
}

/** Looks into the step and the one before it, whose update may have spoilt the weights. */
async function search(run: Repeatable, step: number): Promise<Divergence> {
  const { progress, steps } = run;
  await run.restore();
  const good = progress.state.step;
  // With a dynamic loss scale, a step whose gradients overflow changes nothing: that of the step
  // before is not a fault.
  const { precision } = run.recipe;
  const isDynamic = precision?.kind === "f16" && precision.lossScale.kind === "dynamic";
  const first = isDynamic ? step : step - 1;
  await run.onSearch?.(step - good);
  while (!run.stopped && progress.state.step < step) {
    if (progress.isDueWithin()) await repeatEvaluation(run);
    for await (const batch of steps.batches()) {
      const next = progress.state.step + 1;
      await steps.enterPhase();
      const culprit = next >= first ? await inspect(run, batch) : undefined;
      if (culprit) return { step, good, culprit: { ...culprit, step: next } };
      if (run.stopped || next >= step) return { step, good };
      await repeat(run, batch);
      if (progress.isDueWithin()) await repeatEvaluation(run);
    }
    await repeatEpochsEnd(run);
  }
  return { step, good };
}

function inspect({ network, recipe, progress, steps }: Repeatable, batch: TrainingBatch) {
  const optimizer = { learningRate: steps.learningRateAt(progress.state.step) };
  const { accumulate } = recipe;
  return findNonFinite(network, batch, { call: "train", optimizer, accumulate });
}

async function repeat({ progress, steps }: Repeatable, batch: TrainingBatch): Promise<void> {
  const { measurement, counts } = steps.submit(batch, progress.state);
  progress.completeStep(counts, await measurement);
}

/** An evaluation that was due counts where the learning rate depends on it. */
async function repeatEvaluation(run: Repeatable): Promise<void> {
  const evaluates = run.recipe.schedule.kind === "reduce_on_plateau";
  const evaluation = evaluates ? await run.evaluate() : undefined;
  run.progress.watch(evaluation?.metrics ?? run.progress.training);
}

async function repeatEpochsEnd(run: Repeatable): Promise<void> {
  if (run.progress.endsWithEvaluation) await repeatEvaluation(run);
  run.progress.completeEpoch();
}

export function divergedError(
  { what, learningRate }: Symptom,
  divergence: Divergence,
): DivergedError {
  const { step, culprit } = divergence;
  const where = culprit ? `; ${describeCulprit(culprit, ` in step ${culprit.step}`)}` : "";
  return new DivergedError(
    `${what} after step ${step}, at a learning rate of ${learningRate}: ` +
      `the run has diverged${where}`,
    culprit?.leavesHalf
      ? HALF_HINT
      : `a smaller learning rate, or a warmup in front of the schedule, usually helps`,
    divergence,
  );
}

/** What an evaluation of a run found, as an error of the run. */
export function evaluationDiverged(
  { message, hint, culprit }: NotFiniteEvaluationError,
  step: number,
): DivergedError {
  const where = culprit && { culprit: { ...culprit, step } };
  return new DivergedError(`after step ${step}, ${message}`, hint!, { step, ...where });
}
