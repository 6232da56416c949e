/** How far a run has come, step by step and epoch by epoch, and whether it is over. */
import type { Duration, EarlyStopping, TrainRecipe } from "../../program/recipe.js";
import type { Measurement } from "../measurement.js";
import { isBetter, objectiveOf, watchedBy } from "./best.js";
import type { Evaluation } from "./evaluate.js";
import { MetricsMean } from "./mean.js";
import type { Metrics, TrainableNetwork } from "./network.js";
import type { RunLength } from "./schedule.js";
import { INITIAL_STATE, type TrainingState } from "./state.js";
import { watchPatience, watchPlateau, type Watched } from "./watch.js";

/** The place of a step in its run. */
export type Counts = Pick<TrainingState, "step" | "epoch" | "position">;

export class Progress {
  private current!: TrainingState;
  /** Of the current epoch's metrics. */
  private mean!: MetricsMean;
  private epochStartedAt!: number;

  constructor(
    private readonly recipe: Pick<
      TrainRecipe,
      "schedule" | "stop" | "best" | "steps" | "evaluateEvery"
    >,
    private readonly length: RunLength,
    private readonly program: Pick<TrainableNetwork["program"], "fractions" | "metrics">,
    start: TrainingState = INITIAL_STATE,
  ) {
    this.goOnFrom(start);
  }

  get state(): TrainingState {
    return this.current;
  }

  goOnFrom(state: TrainingState): void {
    this.current = state;
    this.mean = MetricsMean.from(state.training);
    this.epochStartedAt = performance.now() - 1000 * (state.seconds ?? 0);
  }

  /** Means over the current epoch's steps so far. */
  get training(): Metrics {
    return this.mean.values();
  }

  /**
   * That the current epoch has taken so far. The time between a run's end and its resumption is not
   * counted.
   */
  get seconds(): number {
    return (performance.now() - this.epochStartedAt) / 1000;
  }

  get isOver(): boolean {
    const { epoch, step } = this.current;
    return epoch >= this.epochs || step >= this.length.steps || this.hasLostPatience;
  }

  /** Whether the recipe's rule has ended the run. */
  get hasLostPatience(): boolean {
    const { stop } = this.recipe;
    return stop !== undefined && (this.current.patience?.bad ?? 0) >= stop.patience;
  }

  /** All of its steps are done; it is completed once it was evaluated. */
  get isEpochWhole(): boolean {
    return this.current.position >= this.length.stepsPerEpoch;
  }

  /** Whether the current epoch, which is whole or ends the run, ends with an evaluation. */
  get endsWithEvaluation(): boolean {
    const { step, epoch, evaluated } = this.current;
    if (step > 0 && step === evaluated) return false;
    // Epochs may have fewer steps than planned, where a batch had no readable example.
    const isLast = this.isOver || epoch + 1 >= this.epochs;
    return isLast || this.isDueAtEnd;
  }

  private get isDueAtEnd(): boolean {
    const { count, unit } = this.interval;
    return unit === "epochs"
      ? (this.current.epoch + 1) % count === 0
      : this.isDueAfter(this.current);
  }

  /** Whether an evaluation is due here, also if the run did not end. */
  private get isDue(): boolean {
    return this.isDueAtEnd && (this.interval.unit === "steps" || this.isEpochWhole);
  }

  /** Whether an evaluation is due after this step, which is not the last of its epoch. */
  isDueWithin(counts: Counts = this.current): boolean {
    return counts.position < this.length.stepsPerEpoch && this.isDueAfter(counts);
  }

  private isDueAfter({ step }: Counts): boolean {
    const { count, unit } = this.interval;
    return unit === "steps" && step > 0 && step % count === 0 && step !== this.current.evaluated;
  }

  private get interval(): Duration {
    return this.recipe.evaluateEvery ?? { count: 1, unit: "epochs" };
  }

  private get epochs(): number {
    return Math.ceil(this.length.steps / this.length.stepsPerEpoch);
  }

  /** Takes in what a step came to. */
  completeStep(counts: Counts, measurement: Measurement): void {
    this.mean.add(measurement);
    const { seconds } = this;
    this.current = { ...this.current, ...counts, training: this.mean.state, seconds };
  }

  /** The epoch has no more batches: those without a readable example were left out. */
  completeSteps(): void {
    this.current = { ...this.current, position: this.length.stepsPerEpoch };
  }

  /** Takes note of an evaluation. Returns whether it is the best so far. */
  noteEvaluation({ examples, metrics }: Evaluation): boolean {
    const { step, epoch, best } = this.current;
    const objective = objectiveOf(this.recipe, this.program, metrics);
    // The losses of steps may compete: a smaller sum is not a better network.
    if (this.recipe.steps && objective.metric === "loss") return false;
    if (!isBetter(objective, { metrics }, best)) return false;
    this.current = { ...this.current, best: { step, epoch: epoch + 1, examples, metrics } };
    return true;
  }

  /**
   * `metrics` of an evaluation, or of training where nothing is evaluated: rules that look at them
   * take note. Not of one that only a run's last step brought about: the run may be resumed, and
   * would count its epoch twice.
   */
  watch(metrics: Metrics): void {
    if (!this.isDue) return;
    const { schedule, stop } = this.recipe;
    const { step, plateau, patience } = this.current;
    this.current = {
      ...this.current,
      evaluated: this.interval.unit === "steps" ? step : undefined,
      plateau:
        schedule.kind === "reduce_on_plateau"
          ? watchPlateau(schedule, plateau, metrics["loss"]!)
          : plateau,
      patience: stop ? watchPatience(stop, patience, this.watched(stop, metrics)) : patience,
    };
  }

  completeEpoch(): void {
    const { step, epoch, plateau, patience, best, evaluated } = this.current;
    this.goOnFrom({ step, epoch: epoch + 1, position: 0, best, plateau, patience, evaluated });
  }

  private watched(stop: EarlyStopping, metrics: Metrics): Watched {
    const { metric, rises } = watchedBy(stop, this.recipe.best, this.program);
    return { value: metrics[metric]!, rises };
  }
}
