/**
 * A whole training run: epochs of steps, the learning rate over time, evaluation, checkpoints, an
 * early end.
 */
import { boxesOf } from "../../program/boxes.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { batchesOf, type Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { RECALL_METRIC } from "../../program/tuples.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { InputError } from "../errors.js";
import { intervalsAt } from "../measured.js";
import { meansOf } from "../measurement.js";
import { isNamed } from "../named-errors.js";
import { Checkpoints } from "./checkpoints.js";
import {
  divergedError,
  evaluationDiverged,
  explainDivergence,
  type Repeatable,
  type Symptom,
} from "./divergence.js";
import { RunFailedError, type DivergedError } from "./error.js";
import { evaluateDataset, type Evaluation } from "./evaluate.js";
import { Exchange, type Agreement } from "./exchange.js";
import { runLengthOver } from "./length.js";
import { LostDevices } from "./lost-devices.js";
import { assertInspects, assertMeasures, type TrainableNetwork } from "./network.js";
import { checkFitOptions, checkRecipe, type FitOptions, type FitResult } from "./options.js";
import { Progress } from "./progress.js";
import {
  assertFed,
  assertSource,
  isDataset,
  type BatchSource,
  type TrainingBatch,
} from "./source.js";
import { batchesIn, measureStatistics } from "./statistics.js";
import { Steps, type RunningStep } from "./steps.js";
import { Throughput } from "./throughput.js";
import { WaitingTime } from "./waiting-time.js";

/**
 * Trains `network` on a dataset, or on batches that come ready made, by a recipe. A run that is
 * stopped and resumed from its state does the same steps on the same batches as one that was not;
 * so does one whose device is lost and replaced on the way. Throws a DivergedError where the loss
 * or the weights are not finite, a DataError where the data do not fit, a DeviceLostError where
 * there is no other device.
 */
export async function fit(
  network: TrainableNetwork,
  dataset: Dataset | BatchSource,
  recipe: TrainRecipe,
  options: FitOptions = {},
): Promise<FitResult> {
  checkFitOptions(options);
  assertMeasures(network, "fit");
  checkRecipe(recipe);
  checkData(network, dataset, recipe, options.exchange?.size);
  if (training.has(network)) throw new InputError(IN_TRAINING);
  training.add(network);
  try {
    const run = new TrainingRun(network, dataset, recipe, options);
    return await (run.exchange ? run.exchange.guarding(() => run.run()) : run.run());
  } finally {
    training.delete(network);
  }
}

/** Networks that a run trains: the steps of two runs would alternate. */
const training = new WeakSet<TrainableNetwork>();

const IN_TRAINING = "another `fit` trains this network: wait for it, or end it by its `signal`";

/** Metrics that need the predictions of all examples in one place. */
const PRECISIONS = ["map50", "map"];

function checkData(
  network: TrainableNetwork,
  dataset: Dataset | BatchSource,
  recipe: TrainRecipe,
  ranks = 1,
): void {
  assertSource(dataset, "what `fit` trains on");
  if (network.program.measured) assertInspects(network, "fit");
  if (!isDataset(dataset)) {
    if (!recipe.sampling) return;
    throw new InputError(
      "the recipe's `sampling` draws from a dataset, but batches come ready made: " +
        "draw them yourself, and leave `sampling` out",
    );
  }
  assertFed(network.program, dataset);
  const judged = [recipe.stop?.metric, recipe.best?.metric];
  if (ranks > 1 && judged.includes(RECALL_METRIC)) {
    throw new InputError(
      `\`${RECALL_METRIC}\` is not measured where several ranks divide the examples: ` +
        "let `early_stopping` and `best` look at another metric",
    );
  }
  if (ranks > 1 && recipe.syncBatchnorm && network.program.measured) {
    throw new InputError(
      "`swa` measures `batchnorm` with the statistics of each rank's part of a batch, but " +
        "`sync_batchnorm` trains with those of all ranks: leave one of them out, or train in one " +
        "process",
    );
  }
  if (dataset.length === 0) throw new DataError(`${dataset.name} holds no examples to train on`);
  if (batchesOf(dataset.length, recipe) === 0) {
    throw new DataError(
      `\`drop_last\` leaves nothing to train on: ${dataset.name} holds ${dataset.length} ` +
        `examples, fewer than a batch of ${recipe.batch}`,
      "leave `drop_last` out, or choose a smaller batch",
    );
  }
  const watched = recipe.stop?.metric ?? "loss";
  const isMeasured = ranks === 1 || !boxesOf(network.program) || !PRECISIONS.includes(watched);
  if (!isMeasured) {
    throw new InputError(
      `\`stop\` watches \`${watched}\`, which ${ranks} ranks do not measure: watch the loss`,
    );
  }
  const part = Math.ceil(recipe.batch / ranks);
  if (part <= network.batch) return;
  const own = ranks === 1 ? "" : `, ${part} on each of ${ranks} ranks`;
  throw new InputError(
    `the recipe's batch is ${recipe.batch}${own}, ` +
      `but the network was created for batches of up to ${network.batch}`,
  );
}

/** In how many slices a rank's part of a batch comes. */
function slicesOfRank(
  { batch, accumulate = 1 }: TrainRecipe,
  { slice = batch }: TrainableNetwork,
  ranks: number,
): number {
  return Math.max(Math.ceil(accumulate / ranks), Math.ceil(Math.ceil(batch / ranks) / slice));
}

class TrainingRun implements Repeatable {
  readonly progress: Progress;
  readonly steps: Steps;
  readonly exchange: Exchange | undefined;
  private readonly checkpoints: Checkpoints;
  private readonly lostDevices: LostDevices;
  private readonly throughput = new Throughput();
  private readonly waitingTime = new WaitingTime();
  /** The last evaluation. */
  private latest: Evaluation | undefined;
  /** Intervals in the mean of weights for which batch normalization was measured last. */
  private measured = 0;

  constructor(
    readonly network: TrainableNetwork,
    private readonly dataset: Dataset | BatchSource,
    readonly recipe: TrainRecipe,
    private readonly options: FitOptions,
  ) {
    const { exchange, signal } = options;
    if (exchange && exchange.size > 1) {
      this.exchange = new Exchange(exchange, network, {
        signal,
        wire: options.wire,
        slices: slicesOfRank(recipe, network, exchange.size),
      });
    }
    const length = runLengthOver(dataset, recipe, options);
    this.progress = new Progress(recipe, length, network.program, options.start);
    const parts = [network, dataset, recipe, length, this.progress] as const;
    this.steps = new Steps(...parts, signal, this.exchange);
    this.checkpoints = new Checkpoints(network, options);
    this.lostDevices = new LostDevices(network);
  }

  async run(): Promise<FitResult> {
    const { progress, options } = this;
    this.steps.restart();
    await this.compareRanks();
    if (options.start === undefined || !options.restore) await this.save();
    let evaluation: Evaluation | undefined;
    let ended = false;
    while (!ended) {
      try {
        evaluation = await this.runEpoch();
        ended = progress.isOver || this.stopped;
        // What is saved next is the mean.
        if (ended && !this.stopped) await this.measureStatistics();
      } catch (error) {
        await this.recover(error);
        ended = false;
      }
    }
    if (this.stopped) await this.save();
    return {
      state: progress.state,
      completed: !this.stopped,
      stoppedEarly: progress.hasLostPatience || undefined,
      evaluation,
    };
  }

  get stopped(): boolean {
    return this.exchange?.isStopping ?? this.options.signal?.aborted ?? false;
  }

  /** Ranks whose weights differ must not continue as if they were one network. */
  private async compareRanks(): Promise<void> {
    const { exchange } = this;
    if (!exchange) return;
    exchange.step = this.progress.state.step;
    await exchange.compareWeights();
  }

  /**
   * The rest of the current epoch and its evaluation. A run that was over before it was resumed has
   * no steps left, and nothing to report but its evaluation, unless it ended within an epoch.
   */
  private async runEpoch(): Promise<Evaluation | undefined> {
    const { progress } = this;
    if (progress.isOver && progress.state.position === 0) return this.evaluate();
    if (!progress.isOver) await this.trainEpoch();
    return progress.isOver || progress.isEpochWhole ? this.finishEpoch() : undefined;
  }

  /**
   * The rest of the current epoch's steps, or as many of them as the run has left. Each step is
   * submitted before the loss of the one before it is awaited, so that the GPU always has work, and
   * batches are prepared meanwhile.
   */
  private async trainEpoch(): Promise<void> {
    const { progress, steps, checkpoints } = this;
    // A resumed run evaluates first.
    if (!(await this.evaluateWithin())) return;
    let running: RunningStep | undefined;
    const settle = async () => {
      const due = running;
      running = undefined;
      if (due) await this.settle(due);
    };
    try {
      for await (const batch of this.waitingTime.measure(steps.batches())) {
        if (this.stopped) return await settle();
        // Ranks meet with no step under way, so that all of them meet in the same order.
        if (this.exchange) await settle();
        const agreed = await this.agree(batch);
        if (this.stopped) return;
        if (agreed && !agreed.share) continue;
        if (steps.beginsPhase(running?.counts ?? progress.state)) {
          await settle();
          await steps.enterPhase();
        }
        const before: RunningStep | undefined = running;
        running = steps.submit(batch, before?.counts ?? progress.state, agreed?.share);
        if (before) await this.settle(before);
        const { counts } = running;
        if (counts.step >= steps.length.steps) return await settle();
        const isSaved = agreed?.isDue ?? checkpoints.isDue(counts.step);
        if (!isSaved && !progress.isDueWithin(counts)) continue;
        await settle();
        if (!(await this.evaluateWithin())) return;
        if (!isSaved) continue;
        await this.compareRanks();
        await this.save();
      }
      await settle();
    } catch (error) {
      // The run is going to be saved, so its state must be that of the network.
      if (isNamed(error, "DataError")) await settle();
      throw error;
    }
    // Where the signal has ended the batches, the epoch has more of them.
    if (!this.stopped) progress.completeSteps();
  }

  /** What ranks agree on before a step; undefined for a run of one. */
  private async agree(batch: TrainingBatch): Promise<Agreement | undefined> {
    const { exchange, progress } = this;
    if (!exchange) return undefined;
    const { step } = progress.state;
    exchange.step = step;
    const isDue = this.checkpoints.isDue(step + 1);
    return exchange.agree(batch, isDue, isDataset(this.dataset) ? this.dataset : {});
  }

  /** Waits for a step, checks its loss and reports it. */
  private async settle(running: RunningStep): Promise<void> {
    const { counts, learningRate, count } = running;
    const measurement = await running.measurement;
    const values = meansOf(measurement);
    const { step, epoch } = counts;
    const loss = values["loss"];
    if (!Number.isFinite(loss)) {
      throw await this.diverged({ what: `the loss is ${loss}`, step, learningRate });
    }
    this.lostDevices.noteStep(step);
    this.progress.completeStep(counts, measurement);
    await this.options.onStep?.({
      step,
      epoch: epoch + 1,
      metrics: values,
      learningRate,
      steps: this.steps.length.steps,
      examplesPerSecond: this.throughput.add(count),
      dataWait: this.waitingTime.share(),
    });
  }

  /**
   * Evaluates within an epoch, where it is due, and reports that. Returns whether the epoch
   * continues: not where the run was stopped before, or the recipe's rule ends it.
   */
  private async evaluateWithin(): Promise<boolean> {
    const { progress } = this;
    if (!progress.isDueWithin()) return true;
    const evaluation = await this.evaluate();
    if (this.options.evaluation && !evaluation) return false;
    await this.report(evaluation, { isDue: true, continues: true });
    return !progress.isOver;
  }

  /** Tells of the epoch so far, and lets the recipe's rules look at an evaluation that was due. */
  private async report(
    evaluation: Evaluation | undefined,
    { isDue, continues }: { readonly isDue: boolean; readonly continues?: true },
  ): Promise<void> {
    const { progress } = this;
    const { step, epoch } = progress.state;
    const { training, seconds } = progress;
    const isBest = evaluation !== undefined && progress.noteEvaluation(evaluation);
    if (isDue) progress.watch(evaluation?.metrics ?? training);
    if (!continues && progress.isEpochWhole) progress.completeEpoch();
    const report = { step, epoch: epoch + 1, training, isBest, seconds, evaluation, continues };
    await this.options.onEpoch?.(withoutUndefined(report));
  }

  /**
   * Evaluates and reports the epoch, or the part of one with which the run ends. Undefined where
   * the run was stopped before.
   */
  private async finishEpoch(): Promise<Evaluation | undefined> {
    const { progress, options } = this;
    const isDue = progress.endsWithEvaluation;
    const isMissing = progress.isOver && !this.latest;
    const evaluation = isDue || isMissing ? await this.evaluate() : undefined;
    // A resumed run evaluates first.
    if (isDue && options.evaluation && !evaluation) return undefined;
    await this.report(evaluation, { isDue });
    await this.compareRanks();
    // The last checkpoint holds the mean, too.
    if (progress.isOver) await this.measureStatistics();
    if (!this.stopped && (progress.isOver || this.checkpoints.pays)) await this.save();
    this.throughput.restart();
    this.waitingTime.restart();
    return evaluation ?? this.latest;
  }

  async evaluate(): Promise<Evaluation | undefined> {
    const { evaluation, signal, onEvaluationProgress } = this.options;
    if (evaluation === undefined || !(await this.measureStatistics())) return undefined;
    const options = {
      transforms: this.recipe.data?.eval?.transforms ?? [],
      signal,
      exchange: this.exchange,
      onProgress: onEvaluationProgress,
    };
    const latest = await evaluateDataset(this.network, evaluation, options).catch(
      (error: unknown) => {
        if (isNamed(error, "NotFiniteEvaluationError"))
          throw evaluationDiverged(error, this.progress.state.step);
        throw error;
      },
    );
    if (latest) this.latest = latest;
    return latest;
  }

  /**
   * Measures batch normalization for the mean of weights, where that has changed. Returns whether
   * the run continues: not where it was stopped before.
   */
  private async measureStatistics(): Promise<boolean> {
    const { network, progress, dataset, recipe, steps, exchange } = this;
    const { step } = progress.state;
    const intervals = intervalsAt(network.program, step);
    if (intervals === this.measured) return true;
    const { signal, onStatistics } = this.options;
    const { stepsPerEpoch } = steps.length;
    const report = { step, batches: batchesIn(recipe, stepsPerEpoch) };
    await onStatistics?.(report);
    const start = performance.now();
    const options = { signal, exchange, stepsPerEpoch };
    const pass = await measureStatistics(network, dataset, recipe, options);
    if (!pass) return false;
    this.measured = intervals;
    await onStatistics?.({ step, ...pass, seconds: (performance.now() - start) / 1000 });
    return true;
  }

  private async save(): Promise<void> {
    const { state } = this.progress;
    try {
      await this.checkpoints.save(state);
    } catch (error) {
      if (!isNamed(error, "NotFiniteError")) throw error;
      if (state.step === 0) {
        throw new RunFailedError(`the run cannot begin: the initial weights: ${error.message}`);
      }
      const learningRate = this.steps.learningRateAt(state.step - 1);
      const symptom = { what: error.message, step: state.step, learningRate };
      throw await this.diverged(symptom);
    }
  }

  /** Ranks do not search together for where numbers ceased to be finite. */
  private async diverged(symptom: Symptom): Promise<DivergedError> {
    if (this.exchange) return divergedError(symptom, { step: symptom.step });
    return explainDivergence(this, symptom);
  }

  async restore(): Promise<void> {
    this.progress.goOnFrom(await this.checkpoints.restore());
    this.measured = 0;
    this.steps.restart();
    this.throughput.restart();
  }

  async onSearch(steps: number): Promise<void> {
    await this.options.onSearch?.(steps);
  }

  /**
   * After a lost device the run continues from the last checkpoint. Missing data end it, with what
   * was reached saved.
   */
  private async recover(error: unknown): Promise<void> {
    const isOfOthers = isNamed(error, "DataError") || isNamed(error, "PeerFailedError");
    if (isOfOthers) await this.save();
    if (this.exchange) throw error;
    const reason = await this.lostDevices.replace(error);
    await this.restore();
    await this.options.onRestart?.(this.progress.state, reason);
  }
}
