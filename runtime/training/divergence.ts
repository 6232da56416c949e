/** Why a run's numbers ceased to be finite: the steps since the last checkpoint, done again, show where they began. */
import type { TrainRecipe } from "../../program/recipe.js";
import { DeviceLostError, InputError } from "../errors.js";
import { DivergedError, type Divergence } from "./error.js";
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
  /** Whether somebody wants the search to end. */
  readonly stopped: boolean;
  /** Brings network and progress back to what was saved last. */
  restore(): Promise<void>;
  evaluate(): Promise<Evaluation | undefined>;
  /** So many steps are going to be done again. */
  onSearch?(steps: number): void | Promise<void>;
}

/** What was found not to be finite, after which step, counted from 1. */
export interface Symptom {
  /** `the loss is NaN`. */
  readonly what: string;
  readonly step: number;
  readonly learningRate: number;
}

/** What is to be said of numbers that are not finite. The network is no longer that of the run afterwards. */
export async function explainDivergence(run: Repeatable, symptom: Symptom): Promise<DivergedError> {
  const { step } = symptom;
  const divergence = await search(run, step).catch((error: unknown): Divergence => {
    if (run.stopped || error instanceof InputError || error instanceof DeviceLostError)
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
  await run.onSearch?.(step - good);
  while (!run.stopped && progress.state.step < step) {
    for await (const batch of steps.batches()) {
      const next = progress.state.step + 1;
      await steps.enterPhase();
      const culprit = next >= step - 1 ? await inspect(run, batch) : undefined;
      if (culprit) return { step, good, culprit: { ...culprit, step: next } };
      if (run.stopped || next >= step) return { step, good };
      await repeat(run, batch);
    }
    await repeatEpochsEnd(run);
  }
  return { step, good };
}

function inspect({ network, recipe, progress, steps }: Repeatable, batch: TrainingBatch) {
  const learningRate = steps.learningRateAt(progress.state.step);
  return findNonFinite(network, batch, { learningRate, accumulate: recipe.accumulate });
}

async function repeat({ progress, steps }: Repeatable, batch: TrainingBatch): Promise<void> {
  const { metrics, counts } = steps.submit(batch, progress.state);
  progress.completeStep(counts, await metrics, batch.count);
}

/** Its evaluation counts where the learning rate depends on it. */
async function repeatEpochsEnd(run: Repeatable): Promise<void> {
  const evaluates = run.recipe.schedule.kind === "reduce_on_plateau";
  const evaluation = evaluates ? await run.evaluate() : undefined;
  run.progress.completeEpoch(evaluation?.metrics ?? run.progress.training);
}

function divergedError({ what, learningRate }: Symptom, divergence: Divergence): DivergedError {
  const { step, culprit } = divergence;
  const where = culprit
    ? `; the first numbers that are not finite come from \`${culprit.label}\` in step ${culprit.step} (line ${culprit.location.line})`
    : "";
  return new DivergedError(
    `${what} after step ${step}, at a learning rate of ${learningRate}: the run has diverged${where}`,
    `a smaller learning rate, or a warmup in front of the schedule, usually helps`,
    divergence,
  );
}
