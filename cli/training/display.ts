/** A run on the screen: what is going to happen, how far it has come, and what each epoch gave. */
import {
  runLength,
  type EpochReport,
  type StatisticsReport,
  type StepReport,
} from "../../runtime/training/index.js";
import type { TrainingState } from "../../runtime/training/index.js";
import { exampleNoun } from "../../program/tensors.js";
import { describeNotFinite } from "../evaluation-text.js";
import { formatDuration, formatMetrics, formatPercent, plural } from "../format.js";
import { createProgress, Pace, type Progress } from "../progress.js";
import { say } from "../terminal.js";
import type { RunObserver, TrainingParts } from "./parts.js";

export class RunDisplay implements RunObserver {
  private readonly progress: Progress = createProgress();
  private readonly pace = new Pace();
  private hasMeasured = false;

  constructor(
    private readonly parts: TrainingParts,
    /** Of the whole run, where it is not the recipe's. */
    private readonly steps: number | undefined,
  ) {}

  begin(start: TrainingState | undefined): void {
    const { dataset, evaluation, network, recipe } = this.parts;
    const noun = exampleNoun(network.program);
    const { steps } = runLength(dataset.length, recipe, this.steps);
    // A run that was longer before has none left.
    const left = Math.max(0, steps - (start?.step ?? 0));
    const evaluated = evaluation ? `, evaluating on ${plural(evaluation.length, noun)}` : "";
    say(
      `training ${recipe.model} by ${recipe.name} ` +
        `on ${plural(dataset.length, noun)}${evaluated}: ` +
        `${plural(left, "step")} of ${plural(recipe.batch, noun)}`,
    );
  }

  step({ step, steps, epoch, metrics, ...report }: StepReport): void {
    const { dataset, recipe, network } = this.parts;
    const share = network.program.fractions.find((name) => name in metrics);
    this.progress.update({
      step,
      steps,
      epoch,
      learningRate: report.learningRate,
      examplesPerSecond: report.examplesPerSecond,
      dataWait: report.dataWait,
      accuracy: share === undefined ? "" : `${share} ${formatPercent(metrics[share]!)}`,
      epochs: Math.ceil(steps / runLength(dataset.length, recipe).stepsPerEpoch),
      loss: metrics["loss"]!,
      secondsLeft: this.pace.secondsLeft(step, steps),
    });
  }

  epoch({ step, epoch, training, evaluation, seconds, continues }: EpochReport): void {
    const { fractions } = this.parts.network.program;
    const results = [
      `training ${formatMetrics(training, fractions)}`,
      ...(evaluation ? [`evaluation ${formatMetrics(evaluation.metrics, fractions)}`] : []),
    ];
    if (evaluation?.notFinite) this.progress.note(describeNotFinite(evaluation, fractions));
    const at = continues ? `epoch ${epoch}, step ${step}` : `epoch ${epoch}`;
    this.progress.note(`${at}: ${results.join("; ")} (${formatDuration(seconds)})`);
  }

  /** What a pass costs is told once. */
  statistics({ batches, seconds }: StatisticsReport): void {
    if (this.hasMeasured) return;
    this.hasMeasured = seconds !== undefined;
    this.progress.note(
      seconds === undefined
        ? `measuring \`batchnorm\` for the averaged weights on ${batches} batches of training`
        : `that took ${formatDuration(seconds)}; each later average is measured, too`,
    );
  }

  /** A line that stays, above the progress. */
  note(line: string): void {
    this.progress.note(line);
  }

  finish(): void {
    this.progress.stop();
  }

  close(): void {
    this.progress.stop();
  }
}
