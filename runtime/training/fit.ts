/** A whole training run: epochs of steps, the learning rate over time, evaluation, checkpoints, an early end. */
import type { TrainRecipe } from "../../program/recipe.js";
import { countBatches } from "../data/dataset.js";
import type { Batch, Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { InputError } from "../errors.js";
import { RunFailedError } from "./error.js";
import { evaluateDataset } from "./evaluate.js";
import type { Evaluation } from "./evaluate.js";
import { MetricsMean } from "./mean.js";
import type { Metrics, TrainableNetwork } from "./network.js";
import { learningRateFactor } from "./schedule.js";
import type { RunLength } from "./schedule.js";
import { INITIAL_STATE, type TrainingState } from "./state.js";
import { Throughput } from "./throughput.js";
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
  /** Share of the time that the step waited for its batch, where it was measured. */
  readonly dataWait?: number;
}

/** An epoch that was completed, or the part of one with which a run ended. */
export interface EpochReport {
  readonly step: number;
  readonly epoch: number;
  /** Means over the epoch's steps since the run was started or resumed. */
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
  /**
   * Called with the state to save after each epoch (short epochs share one), every `checkpointSeconds` within one, and
   * when the run ends, early or not.
   */
  readonly checkpoint?: (state: TrainingState) => void | Promise<void>;
  /** 600 unless told. */
  readonly checkpointSeconds?: number;
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
  /** The state after it. */
  readonly state: TrainingState;
}

const DEFAULT_CHECKPOINT_SECONDS = 600;

/** Training for so many times as long as the last checkpoint took makes the next one, at an epoch's end, worth while. */
const SAVING_SHARE = 10;

class TrainingRun {
  private readonly length: RunLength;
  private state: TrainingState;
  private readonly throughput = new Throughput();
  private savedAt = performance.now();
  /** Milliseconds that the last checkpoint took. */
  private savingTime = 0;
  private epochMean = new MetricsMean();

  constructor(
    private readonly network: TrainableNetwork,
    private readonly dataset: Dataset,
    private readonly recipe: TrainRecipe,
    private readonly options: FitOptions,
  ) {
    checkRun(network, dataset, recipe);
    this.length = runLength(dataset.length, recipe, options.steps);
    this.state = options.start ?? INITIAL_STATE;
  }

  async run(): Promise<FitResult> {
    this.network.setStep(this.state.step);
    let evaluation: Evaluation | undefined;
    while (this.unfinished && !this.stopped) {
      await this.trainEpoch();
      if (this.stopped && this.stepsAreLeft && !this.epochIsWhole) break;
      evaluation = (await this.finishEpoch()) ?? evaluation;
    }
    // A run that had ended before has this left to tell.
    if (!this.stopped) evaluation ??= await this.evaluate();
    if (this.stopped) await this.save();
    const completed = !this.unfinished && !this.stopped;
    return {
      ...{ state: this.state, completed },
      ...(this.hasLostPatience && { stoppedEarly: true }),
      ...(evaluation && { evaluation }),
    };
  }

  /** Whether there are steps left to do, or an epoch is done but for its evaluation. */
  private get unfinished(): boolean {
    const epochs = Math.ceil(this.length.steps / this.length.stepsPerEpoch);
    const isLeft = this.stepsAreLeft || this.epochIsWhole;
    return this.state.epoch < epochs && isLeft && !this.hasLostPatience;
  }

  private get stepsAreLeft(): boolean {
    return this.state.step < this.length.steps;
  }

  private get epochIsWhole(): boolean {
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
   * The rest of the current epoch, or as much of it as the run has left. Each step is submitted before the loss of the one before
   * it is awaited, so that the GPU always has work, and batches are prepared meanwhile.
   */
  private async trainEpoch(): Promise<void> {
    let running: RunningStep | undefined;
    let exhausted = true;
    for await (const batch of this.batches()) {
      const submitted = this.submit(batch, running?.state ?? this.state);
      if (running) await this.settle(running);
      running = submitted;
      if (this.stopped || submitted.state.step >= this.length.steps) {
        exhausted = false;
        break;
      }
      if (this.checkpointDue) {
        await this.settle(running);
        running = undefined;
        await this.save();
      }
    }
    if (running) await this.settle(running);
    // Batches without a readable image are not there at all.
    if (exhausted) this.state = { ...this.state, position: this.length.stepsPerEpoch };
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

  private submit(batch: Batch, before: TrainingState): RunningStep {
    const { accumulate } = this.recipe;
    const { step, plateau } = before;
    const factor = learningRateFactor(this.recipe, step, this.length, plateau?.factor);
    const learningRate = this.recipe.optimizer.learningRate * factor;
    const metrics = this.network.step(batch.images, batch.targets, {
      learningRate,
      ...(accumulate !== undefined && { accumulate }),
    });
    // Awaited one step later: a rejection until then is not an unhandled one.
    metrics.catch(() => {});
    const state = { ...before, step: step + 1, position: batch.position + 1 };
    return { metrics, count: batch.count, learningRate, state };
  }

  /** Waits for a step, checks its loss and reports it. */
  private async settle(running: RunningStep): Promise<void> {
    const metrics = await running.metrics;
    const { state, learningRate, count } = running;
    if (!Number.isFinite(metrics["loss"])) throw divergedError(state.step, learningRate, metrics);
    this.state = state;
    this.epochMean.add(metrics, count);
    this.options.onStep?.({
      step: state.step,
      epoch: state.epoch + 1,
      steps: this.length.steps,
      metrics,
      learningRate,
      examplesPerSecond: this.throughput.add(count),
    });
  }

  /** Evaluates and reports the epoch, or the part of one with which the run ends. Undefined where the run was stopped before. */
  private async finishEpoch(): Promise<Evaluation | undefined> {
    const evaluation = await this.evaluate();
    // A resumed run evaluates first.
    if (this.options.evaluation && !evaluation) return undefined;
    const { step, epoch } = this.state;
    const training = this.epochMean.values();
    if (this.epochIsWhole) this.startNextEpoch(evaluation?.metrics ?? training);
    await this.options.onEpoch?.({
      ...{ step, epoch: epoch + 1, training },
      ...(evaluation && { evaluation }),
    });
    this.epochMean = new MetricsMean();
    if (!this.stopped && (!this.unfinished || this.savingPays)) await this.save();
    this.throughput.restart();
    return evaluation;
  }

  /** `metrics` of the evaluation, or of training where there is none: rules that look at them take note. */
  private startNextEpoch(metrics: Metrics): void {
    const { schedule, stop } = this.recipe;
    const { step, epoch, plateau, patience } = this.state;
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
    const { evaluation, signal, onEvaluationProgress } = this.options;
    if (evaluation === undefined) return undefined;
    return evaluateDataset(this.network, evaluation, {
      transforms: this.recipe.data?.eval?.transforms ?? [],
      signal,
      ...(onEvaluationProgress && { onProgress: onEvaluationProgress }),
    });
  }

  private get checkpointDue(): boolean {
    if (this.options.checkpoint === undefined) return false;
    const seconds = this.options.checkpointSeconds ?? DEFAULT_CHECKPOINT_SECONDS;
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
