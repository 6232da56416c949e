/** A whole training run: epochs of steps, the learning rate over time, evaluation, checkpoints, an early end. */
import type { TrainRecipe } from "../../program/recipe.js";
import { countBatches } from "../data/dataset.js";
import type { Batch, Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { InputError } from "../errors.js";
import type { Scores } from "../evaluation/probabilities.js";
import { RunFailedError } from "./error.js";
import { evaluateDataset } from "./evaluate.js";
import type { Evaluation } from "./evaluate.js";
import { MetricsMean } from "./mean.js";
import type { Metrics, TrainableNetwork } from "./network.js";
import { learningRateFactor, phaseAt } from "./schedule.js";
import type { RunLength } from "./schedule.js";
import { INITIAL_STATE, type TrainingState } from "./state.js";
import { Throughput } from "./throughput.js";
import { WaitingTime } from "./waiting-time.js";
import { watchPatience, watchPlateau, type Watched } from "./watch.js";

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

/** An epoch that was completed, or the part of one with which a run ended. */
export interface EpochReport {
  readonly step: number;
  readonly epoch: number;
  /** Means over the epoch's steps. */
  readonly training: Metrics;
  readonly evaluation?: Evaluation;
}

export interface FitOptions {
  /** Evaluated after each epoch. */
  readonly evaluation?: Dataset | undefined;
  readonly onStep?: (report: StepReport) => void;
  /** Awaited before the run goes on. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>;
  /** Examples evaluated so far in the evaluation after an epoch. */
  readonly onEvaluationProgress?: (examples: number) => void;
  /** What the model's output holds, for evaluations by ten crops; logits unless told. */
  readonly scores?: Scores;
  /**
   * Called with the state to save after each epoch (short epochs share one), every `checkpointSeconds` and `checkpointSteps` within
   * one, and when the run ends, early or not.
   */
  readonly checkpoint?: (state: TrainingState) => void | Promise<void>;
  /** 600 unless told. */
  readonly checkpointSeconds?: number;
  /** Not by steps unless told. */
  readonly checkpointSteps?: number | undefined;
  /** Where a resumed run goes on. */
  readonly start?: TrainingState | undefined;
  /** Ends the run after so many steps, instead of the recipe's epochs; schedules span them. */
  readonly steps?: number | undefined;
  /** Ends the run after the step at hand. */
  readonly signal?: AbortSignal | undefined;
}

export interface FitResult {
  readonly state: TrainingState;
  /** False where the signal ended the run early. */
  readonly completed: boolean;
  /** Whether the recipe's rule ended the run before its last epoch. */
  readonly stoppedEarly?: boolean;
  /** The last evaluation. */
  readonly evaluation?: Evaluation;
}

/**
 * Trains `network` on `dataset` by a recipe. A run that is stopped and resumed from its state does the same steps
 * on the same batches as one that was not. Throws a RunFailedError where the loss is not finite, a DataError
 * where the data do not fit.
 */
export async function fit(
  network: TrainableNetwork,
  dataset: Dataset,
  recipe: TrainRecipe,
  options: FitOptions = {},
): Promise<FitResult> {
  return new TrainingRun(network, dataset, recipe, options).run();
}

/** Steps of the whole run and of an epoch. */
export function runLength(
  examples: number,
  recipe: Pick<TrainRecipe, "batch" | "epochs">,
  steps?: number,
): RunLength {
  const stepsPerEpoch = countBatches(examples, recipe.batch);
  return { stepsPerEpoch, steps: steps ?? recipe.epochs * stepsPerEpoch };
}

/** A step whose result has not been looked at yet. */
interface RunningStep {
  readonly metrics: Promise<Metrics>;
  readonly count: number;
  readonly learningRate: number;
  /** The counts after it. */
  readonly progress: Progress;
}

type Progress = Pick<TrainingState, "step" | "epoch" | "position">;

const DEFAULT_CHECKPOINT_SECONDS = 600;

/** Training for so many times as long as the last checkpoint took makes the next one, at an epoch's end, worth while. */
const SAVING_SHARE = 10;

class TrainingRun {
  private readonly length: RunLength;
  private state: TrainingState;
  private readonly throughput = new Throughput();
  private readonly waitingTime = new WaitingTime();
  private savedAt = performance.now();
  /** Milliseconds that the last checkpoint took. */
  private savingTime = 0;
  private epochMean: MetricsMean;
  /** The network's, once it is known. */
  private phase: number | undefined;

  constructor(
    private readonly network: TrainableNetwork,
    private readonly dataset: Dataset,
    private readonly recipe: TrainRecipe,
    private readonly options: FitOptions,
  ) {
    checkRun(network, dataset, recipe);
    this.length = runLength(dataset.length, recipe, options.steps);
    this.state = options.start ?? INITIAL_STATE;
    this.epochMean = MetricsMean.from(this.state.training);
  }

  async run(): Promise<FitResult> {
    this.network.setStep(this.state.step);
    let evaluation: Evaluation | undefined;
    do {
      evaluation = await this.runEpoch();
    } while (!this.isOver && !this.stopped);
    if (this.stopped) await this.save();
    return {
      ...{ state: this.state, completed: !this.stopped },
      ...(this.hasLostPatience && { stoppedEarly: true }),
      ...(evaluation && { evaluation }),
    };
  }

  /**
   * The rest of the current epoch and its evaluation. A run that was over before it was resumed has no steps left, and nothing to
   * report but its evaluation, unless it ended within an epoch.
   */
  private async runEpoch(): Promise<Evaluation | undefined> {
    if (this.isOver && this.state.position === 0) return this.evaluate();
    if (!this.isOver) await this.trainEpoch();
    return this.isOver || this.isEpochWhole ? this.finishEpoch() : undefined;
  }

  private get isOver(): boolean {
    const { epoch, step } = this.state;
    const epochs = Math.ceil(this.length.steps / this.length.stepsPerEpoch);
    return epoch >= epochs || step >= this.length.steps || this.hasLostPatience;
  }

  /** All of its steps are done; it is completed once it was evaluated. */
  private get isEpochWhole(): boolean {
    return this.state.position >= this.length.stepsPerEpoch;
  }

  private get hasLostPatience(): boolean {
    const { stop } = this.recipe;
    return stop !== undefined && (this.state.patience?.bad ?? 0) >= stop.patience;
  }

  private get stopped(): boolean {
    return this.options.signal?.aborted ?? false;
  }

  /**
   * The rest of the current epoch's steps, or as many of them as the run has left. Each step is submitted before the loss of the one
   * before it is awaited, so that the GPU always has work, and batches are prepared meanwhile.
   */
  private async trainEpoch(): Promise<void> {
    let running: RunningStep | undefined;
    const settle = async () => {
      const due = running;
      running = undefined;
      if (due) await this.settle(due);
    };
    for await (const batch of this.waitingTime.measure(this.batches())) {
      if (this.stopped) return settle();
      const before = running?.progress ?? this.state;
      if (this.phaseOf(before) !== this.phase) {
        await settle();
        await this.enterPhase(this.phaseOf(before));
      }
      const submitted = this.submit(batch, before);
      await settle();
      running = submitted;
      const { step } = submitted.progress;
      if (step >= this.length.steps) return settle();
      if (this.isCheckpointDue(step)) {
        await settle();
        await this.save();
      }
    }
    await settle();
    // Batches without a readable example were left out.
    this.state = { ...this.state, position: this.length.stepsPerEpoch };
  }

  private phaseOf({ step }: Progress): number {
    return phaseAt(this.recipe, step, this.length);
  }

  private async enterPhase(phase: number): Promise<void> {
    await this.network.enterPhase?.(phase);
    this.phase = phase;
  }

  private batches(): AsyncGenerator<Batch, void, void> {
    const { dataset, network } = this;
    const transforms = this.recipe.data?.train?.transforms ?? [];
    return loadBatches(dataset, {
      batch: this.recipe.batch,
      shape: network.program.input,
      transforms,
      staging: chooseStaging(network.program, "train", { dataset, transforms }),
      seed: this.recipe.seed,
      epoch: this.state.epoch,
      shuffle: true,
      start: this.state.position,
    });
  }

  private submit(batch: Batch, before: Progress): RunningStep {
    const { accumulate } = this.recipe;
    const { step } = before;
    const { plateau } = this.state;
    const factor = learningRateFactor(this.recipe, step, this.length, plateau?.factor);
    const learningRate = this.recipe.optimizer.learningRate * factor;
    const metrics = this.network.step(batch.images, batch.targets, {
      learningRate,
      ...(accumulate !== undefined && { accumulate }),
    });
    // Awaited one step later: a rejection until then is not an unhandled one.
    metrics.catch(() => {});
    const progress = { step: step + 1, epoch: before.epoch, position: batch.position + 1 };
    return { metrics, count: batch.count, learningRate, progress };
  }

  /** Waits for a step, checks its loss and reports it. */
  private async settle(running: RunningStep): Promise<void> {
    const metrics = await running.metrics;
    const { progress, learningRate, count } = running;
    const { step, epoch } = progress;
    if (!Number.isFinite(metrics["loss"])) throw divergedError(step, learningRate, metrics);
    this.epochMean.add(metrics, count);
    this.state = { ...this.state, ...progress, training: this.epochMean.state };
    this.options.onStep?.({
      ...{ step, epoch: epoch + 1, metrics, learningRate },
      steps: this.length.steps,
      examplesPerSecond: this.throughput.add(count),
      dataWait: this.waitingTime.share(),
    });
  }

  /** Evaluates and reports the epoch, or the part of one with which the run ends. Undefined where the run was stopped before. */
  private async finishEpoch(): Promise<Evaluation | undefined> {
    const evaluation = await this.evaluate();
    // A resumed run evaluates first.
    if (this.options.evaluation && !evaluation) return undefined;
    const { step, epoch } = this.state;
    const training = this.epochMean.values();
    if (this.isEpochWhole) this.startNextEpoch(evaluation?.metrics ?? training);
    await this.options.onEpoch?.({
      ...{ step, epoch: epoch + 1, training },
      ...(evaluation && { evaluation }),
    });
    if (!this.stopped && (this.isOver || this.savingPays)) await this.save();
    this.throughput.restart();
    this.waitingTime.restart();
    return evaluation;
  }

  /** `metrics` of the evaluation, or of training where there is none: rules that look at them take note. */
  private startNextEpoch(metrics: Metrics): void {
    const { schedule, stop } = this.recipe;
    const { step, epoch, plateau, patience } = this.state;
    this.epochMean = new MetricsMean();
    this.state = {
      ...{ step, epoch: epoch + 1, position: 0 },
      ...(schedule.kind === "reduce_on_plateau" && {
        plateau: watchPlateau(schedule, plateau, metrics["loss"]!),
      }),
      ...(stop && { patience: watchPatience(stop, patience, this.watched(stop.metric, metrics)) }),
    };
  }

  private watched(metric: string, metrics: Metrics): Watched {
    const rises = this.network.program.fractions?.includes(metric) ?? false;
    return { value: metrics[metric]!, rises };
  }

  private async evaluate(): Promise<Evaluation | undefined> {
    const { evaluation, signal, scores, onEvaluationProgress } = this.options;
    if (evaluation === undefined) return undefined;
    return evaluateDataset(this.network, evaluation, {
      transforms: this.recipe.data?.eval?.transforms ?? [],
      signal,
      ...(scores && { scores }),
      ...(onEvaluationProgress && { onProgress: onEvaluationProgress }),
    });
  }

  private isCheckpointDue(step: number): boolean {
    const { checkpoint, checkpointSteps, checkpointSeconds } = this.options;
    if (checkpoint === undefined) return false;
    if (checkpointSteps !== undefined && step % checkpointSteps === 0) return true;
    const seconds = checkpointSeconds ?? DEFAULT_CHECKPOINT_SECONDS;
    return performance.now() - this.savedAt >= seconds * 1000;
  }

  /** Whether saving now costs little beside the training since: epochs of a few steps are not worth a checkpoint each. */
  private get savingPays(): boolean {
    return performance.now() - this.savedAt >= SAVING_SHARE * this.savingTime;
  }

  private async save(): Promise<void> {
    const start = performance.now();
    await this.options.checkpoint?.(this.state);
    this.savedAt = performance.now();
    this.savingTime = this.savedAt - start;
  }
}

function checkRun(network: TrainableNetwork, dataset: Dataset, recipe: TrainRecipe): void {
  if (dataset.length === 0) throw new DataError(`${dataset.name} holds no examples to train on`);
  if (recipe.batch <= network.batch) return;
  throw new InputError(
    `the recipe's batch is ${recipe.batch}, but the network was created for batches of up to ${network.batch}`,
  );
}

function divergedError(step: number, learningRate: number, metrics: Metrics): RunFailedError {
  return new RunFailedError(
    `the loss is ${metrics["loss"]} after step ${step}, at a learning rate of ${learningRate}: the run has diverged`,
    `a smaller learning rate, or a warmup in front of the schedule, usually helps`,
  );
}
