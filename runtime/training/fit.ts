/** A whole training run: epochs of steps, the learning rate over time, evaluation, checkpoints, an early end. */
import type { TrainRecipe } from "../../program/recipe.js";
import { countBatches } from "../data/dataset.js";
import type { Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { loadBatches } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import { DeviceLostError, InputError, NoAdapterError } from "../errors.js";
import type { Scores } from "../evaluation/probabilities.js";
import { DivergedError, type Divergence } from "./error.js";
import { evaluateDataset } from "./evaluate.js";
import type { Evaluation } from "./evaluate.js";
import { assertFiniteTensors, NotFiniteError } from "./finite.js";
import { MetricsMean } from "./mean.js";
import type { Metrics, TrainableNetwork } from "./network.js";
import { findNonFinite } from "./non-finite.js";
import { learningRateFactor, phaseAt } from "./schedule.js";
import type { RunLength } from "./schedule.js";
import { isDataset, passOver, type BatchSource, type TrainingBatch } from "./source.js";
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
  readonly evaluation?: Dataset | BatchSource | undefined;
  /** Batches in an epoch: needed where they come ready made, since nobody can count them beforehand. */
  readonly stepsPerEpoch?: number | undefined;
  readonly onStep?: (report: StepReport) => void;
  /** Awaited before the run goes on. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>;
  /** Examples evaluated so far in the evaluation after an epoch. */
  readonly onEvaluationProgress?: (examples: number) => void;
  /** What the model's output holds, for evaluations by ten crops; logits unless told. */
  readonly scores?: Scores;
  /**
   * Called with the state to save when a run begins, after each epoch (short epochs share one), every `checkpointSeconds` and `checkpointSteps` within
   * one, and when the run ends, early or not.
   */
  readonly checkpoint?: (state: TrainingState) => void | Promise<void>;
  /** 600 unless told. */
  readonly checkpointSeconds?: number;
  /** Not by steps unless told. */
  readonly checkpointSteps?: number | undefined;
  /**
   * Brings back into the network what `checkpoint` saved last, and resolves to its state. For a run that goes on after its device was
   * lost, or that looks for the reason why its loss is not finite. Without it, `fit` keeps a copy in memory whenever a checkpoint is due.
   */
  readonly restore?: () => Promise<TrainingState>;
  /** The device was lost and another taken: the run goes on from this state. */
  readonly onRestart?: (state: TrainingState, reason: string) => void | Promise<void>;
  /** So many steps are going to be done again, to find where numbers ceased to be finite. The signal ends the search. */
  readonly onSearch?: (steps: number) => void;
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
 * Trains `network` on a dataset, or on batches that come ready made, by a recipe. A run that is stopped and resumed from its state does the same steps
 * on the same batches as one that was not; so does one whose device is lost and replaced on the way. Throws a DivergedError where
 * the loss or the weights are not finite, a DataError where the data do not fit, a DeviceLostError where there is no other device.
 */
export async function fit(
  network: TrainableNetwork,
  dataset: Dataset | BatchSource,
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
  readonly batch: TrainingBatch;
  readonly learningRate: number;
  /** The counts after it. */
  readonly progress: Progress;
}

type Progress = Pick<TrainingState, "step" | "epoch" | "position">;

const DEFAULT_CHECKPOINT_SECONDS = 600;

/** Training for so many times as long as the last checkpoint took makes the next one, at an epoch's end, worth while. */
const SAVING_SHARE = 10;

/** Devices that may be lost one after the other with no step in between. */
const MOST_LOSSES = 3;

/** Seconds to wait for an adapter before it is asked for again: drivers that were reset take a while to come back. */
const REOPENING_DELAYS = [1, 5, 15];

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
  /** Devices lost since the last step. */
  private losses = 0;
  /** What a checkpoint would hold, where there is nowhere to restore one from. */
  private snapshot: { readonly bytes: Uint8Array; readonly state: TrainingState } | undefined;

  constructor(
    private readonly network: TrainableNetwork,
    private readonly dataset: Dataset | BatchSource,
    private readonly recipe: TrainRecipe,
    private readonly options: FitOptions,
  ) {
    checkRun(network, dataset, recipe);
    const stepsPerEpoch = epochLength(dataset, recipe, options);
    this.length = { stepsPerEpoch, steps: options.steps ?? recipe.epochs * stepsPerEpoch };
    this.state = options.start ?? INITIAL_STATE;
    this.epochMean = MetricsMean.from(this.state.training);
  }

  async run(): Promise<FitResult> {
    this.network.setStep(this.state.step);
    if (this.options.start === undefined || !this.options.restore) await this.save();
    let evaluation: Evaluation | undefined;
    let ended = false;
    while (!ended) {
      try {
        evaluation = await this.runEpoch();
        ended = this.isOver || this.stopped;
      } catch (error) {
        await this.recover(error);
      }
    }
    if (this.stopped) await this.save();
    return {
      ...{ state: this.state, completed: !this.stopped },
      ...(this.hasLostPatience && { stoppedEarly: true }),
      ...(evaluation && { evaluation }),
    };
  }

  /** After a lost device the run goes on from the last checkpoint. Missing data end it, with what was reached saved. */
  private async recover(error: unknown): Promise<void> {
    if (error instanceof DataError) await this.save();
    const isGone = error instanceof DeviceLostError && error.isGone;
    if (!isGone || !this.network.canReopen || ++this.losses > MOST_LOSSES) throw error;
    await this.reopen();
    await this.restore();
    await this.options.onRestart?.(this.state, error.message);
  }

  private async reopen(): Promise<void> {
    for (const seconds of REOPENING_DELAYS) {
      try {
        return await this.network.reopen!();
      } catch (error) {
        if (!(error instanceof NoAdapterError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      }
    }
    await this.network.reopen!();
  }

  private async restore(): Promise<void> {
    const { snapshot, network, options } = this;
    if (options.restore) this.state = await options.restore();
    else if (snapshot) {
      await network.load!(snapshot.bytes);
      this.state = snapshot.state;
    } else throw new InputError("there is nothing to go on from");
    this.epochMean = MetricsMean.from(this.state.training);
    this.phase = undefined;
    network.setStep(this.state.step);
    this.throughput.restart();
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
    try {
      for await (const batch of this.waitingTime.measure(this.batches())) {
        if (this.stopped) return await settle();
        if (this.phaseOf(running?.progress ?? this.state) !== this.phase) {
          await settle();
          await this.enterPhase(this.state);
        }
        const before: RunningStep | undefined = running;
        running = this.submit(batch, before?.progress ?? this.state);
        if (before) await this.settle(before);
        const { step } = running.progress;
        if (step >= this.length.steps) return await settle();
        if (this.isCheckpointDue(step)) {
          await settle();
          await this.save();
        }
      }
      await settle();
    } catch (error) {
      // The run is going to be saved, so its state must be that of the network.
      if (error instanceof DataError) await settle();
      throw error;
    }
    // Batches without a readable example were left out.
    this.state = { ...this.state, position: this.length.stepsPerEpoch };
  }

  private phaseOf({ step }: Progress): number {
    return phaseAt(this.recipe, step, this.length);
  }

  /** The phase that the next step belongs to. */
  private async enterPhase(before: Progress): Promise<void> {
    const phase = this.phaseOf(before);
    await this.network.enterPhase?.(phase);
    this.phase = phase;
  }

  private batches(): AsyncGenerator<TrainingBatch, void, void> {
    const { dataset, network } = this;
    if (!isDataset(dataset)) {
      const { epoch, position: start } = this.state;
      const most = this.length.stepsPerEpoch;
      return passOver(dataset, { epoch, start, most, shape: network.program.input });
    }
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

  private submit(batch: TrainingBatch, before: Progress): RunningStep {
    const { accumulate } = this.recipe;
    const { step } = before;
    const learningRate = this.learningRateAt(step);
    const metrics = this.network.step(batch.images, batch.targets, {
      learningRate,
      ...(accumulate !== undefined && { accumulate }),
    });
    // Awaited one step later: a rejection until then is not an unhandled one.
    metrics.catch(() => {});
    const progress = { step: step + 1, epoch: before.epoch, position: batch.position + 1 };
    return { metrics, batch, learningRate, progress };
  }

  private learningRateAt(step: number): number {
    const { recipe, length, state } = this;
    const factor = learningRateFactor(recipe, step, length, state.plateau?.factor);
    return recipe.optimizer.learningRate * factor;
  }

  /** Waits for a step, checks its loss and reports it. */
  private async settle(running: RunningStep): Promise<void> {
    const metrics = await running.metrics;
    const { progress, learningRate, batch } = running;
    const { step, epoch } = progress;
    const loss = metrics["loss"];
    if (!Number.isFinite(loss))
      throw await this.diverged(step, `the loss is ${loss}`, learningRate);
    this.losses = 0;
    this.epochMean.add(metrics, batch.count);
    this.state = { ...this.state, ...progress, training: this.epochMean.state };
    this.options.onStep?.({
      ...{ step, epoch: epoch + 1, metrics, learningRate },
      steps: this.length.steps,
      examplesPerSecond: this.throughput.add(batch.count),
      dataWait: this.waitingTime.share(),
    });
  }

  /** What is to be said of numbers that are not finite: the steps since the last checkpoint, done again, show where they began. */
  private async diverged(step: number, what: string, learningRate: number): Promise<DivergedError> {
    const divergence = await this.search(step).catch((error: unknown): Divergence => {
      if (this.stopped || error instanceof InputError || error instanceof DeviceLostError)
        return { step };
      throw error;
    });
    return divergedError(what, learningRate, divergence);
  }

  /** Looks into the step and the one before it, whose update may have spoilt the weights. */
  private async search(step: number): Promise<Divergence> {
    await this.restore();
    const good = this.state.step;
    this.options.onSearch?.(step - good);
    while (!this.stopped && this.state.step < step) {
      for await (const batch of this.batches()) {
        const next = this.state.step + 1;
        await this.enterPhase(this.state);
        const culprit = next >= step - 1 ? await this.inspect(batch) : undefined;
        if (culprit) return { step, good, culprit: { ...culprit, step: next } };
        if (this.stopped || next >= step) return { step, good };
        await this.repeat(batch);
      }
      await this.repeatEpochsEnd();
    }
    return { step, good };
  }

  private inspect(batch: TrainingBatch) {
    return findNonFinite(this.network, batch, this.learningRateAt(this.state.step));
  }

  private async repeat(batch: TrainingBatch): Promise<void> {
    const { metrics, progress } = this.submit(batch, this.state);
    this.epochMean.add(await metrics, batch.count);
    this.state = { ...this.state, ...progress };
  }

  /** Its evaluation counts where the learning rate depends on it. */
  private async repeatEpochsEnd(): Promise<void> {
    const evaluates = this.recipe.schedule.kind === "reduce_on_plateau";
    const evaluation = evaluates ? await this.evaluate() : undefined;
    this.startNextEpoch(evaluation?.metrics ?? this.epochMean.values());
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
    try {
      await this.options.checkpoint?.(this.state);
      if (!this.options.restore) await this.keepSnapshot();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const { step } = this.state;
      throw await this.diverged(step, error.message, this.learningRateAt(step - 1));
    }
    this.savedAt = performance.now();
    this.savingTime = this.savedAt - start;
  }

  private async keepSnapshot(): Promise<void> {
    const { network, state } = this;
    if (!network.save || !network.load) return;
    const bytes = await network.save({ optimizer: true });
    assertFiniteTensors(bytes);
    this.snapshot = { bytes, state };
  }
}

/** Throws an InputError where nobody can know. */
function epochLength(
  source: Dataset | BatchSource,
  { batch }: TrainRecipe,
  { stepsPerEpoch }: FitOptions,
): number {
  if (isDataset(source)) return countBatches(source.length, batch);
  if (Number.isSafeInteger(stepsPerEpoch) && stepsPerEpoch! > 0) return stepsPerEpoch!;
  throw new InputError(
    `how many batches make an epoch cannot be seen from batches that come ready made: say \`stepsPerEpoch\`, not ${stepsPerEpoch}`,
  );
}

function checkRun(
  network: TrainableNetwork,
  dataset: Dataset | BatchSource,
  recipe: TrainRecipe,
): void {
  if (!isDataset(dataset)) return;
  if (dataset.length === 0) throw new DataError(`${dataset.name} holds no examples to train on`);
  if (recipe.batch <= network.batch) return;
  throw new InputError(
    `the recipe's batch is ${recipe.batch}, but the network was created for batches of up to ${network.batch}`,
  );
}

function divergedError(what: string, learningRate: number, divergence: Divergence): DivergedError {
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
