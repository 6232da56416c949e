/** A training run on disk and on the screen: checkpoints, logs, the report, progress, and an early end by Ctrl-C. */
import { join } from "node:path";
import type { TrainRecipe } from "../program/recipe.js";
import type { Dataset } from "../runtime/data/dataset.js";
import type { Network } from "../runtime/network.js";
import {
  MetricsLog,
  readMetrics,
  resumeCheckpoint,
  saveCheckpoint,
  saveWeights,
  type RunIdentity,
} from "../runtime/node/training.js";
import {
  evaluationRecord,
  fit,
  isEvaluation,
  renderReport,
  runLength,
  stepRecord,
  type EpochReport,
  type Evaluation,
  type FitResult,
  type MetricsRecord,
  type StepReport,
  type TrainingState,
} from "../runtime/training/index.js";
import type { CompiledSpec } from "./compiled.js";
import { warn } from "./data.js";
import { writeOutput } from "./files.js";
import { formatDuration, formatMetric, plural } from "./format.js";
import { listenForInterrupt } from "./interrupt.js";
import { createProgress, Pace, type Progress } from "./progress.js";
import { print, say } from "./terminal.js";
import { classesMetadata } from "./weights.js";

export interface TrainingParts {
  readonly compiled: CompiledSpec;
  /** With the flags' changes. */
  readonly recipe: TrainRecipe;
  readonly dataset: Dataset;
  readonly evaluation: Dataset | undefined;
  readonly network: Network;
  /** Where the run's files go; it exists. */
  readonly folder: string;
}

export interface RunOptions {
  readonly resume?: boolean;
  /** Ends the run after so many steps, instead of the recipe's epochs. */
  readonly steps?: number;
  /** Another file for the lines of metrics.jsonl. */
  readonly log?: string;
}

export class TrainingRun {
  private readonly startedAt = performance.now();
  private readonly progress: Progress = createProgress();
  private readonly pace = new Pace();
  private readonly identity: RunIdentity;
  private readonly metadata: Readonly<Record<string, string>>;
  private epochStartedAt = performance.now();
  private logs: readonly MetricsLog[] = [];
  private best = -Infinity;

  constructor(private readonly parts: TrainingParts) {
    const { recipe, dataset } = parts;
    this.identity = { seed: recipe.seed, batch: recipe.batch, examples: dataset.length };
    this.metadata = classesMetadata(dataset.classes);
  }

  /** Trains until the recipe, the steps or the user end the run, and says what came of it. */
  async start(options: RunOptions): Promise<void> {
    const start = options.resume ? await this.resume() : undefined;
    await this.openLogs(options, start);
    this.announce(options, start);
    const interrupt = listenForInterrupt("stopping after this step; Ctrl-C again ends at once");
    try {
      const result = await this.fit(options, start, interrupt.signal);
      this.progress.stop();
      await this.finish(result);
    } finally {
      this.progress.stop();
      interrupt.dispose();
      for (const log of this.logs) log.close();
    }
  }

  private get fractions(): readonly string[] {
    return this.parts.network.program.fractions;
  }

  private fit(
    { steps }: RunOptions,
    start: TrainingState | undefined,
    signal: AbortSignal,
  ): Promise<FitResult> {
    const { network, dataset, evaluation, recipe, folder } = this.parts;
    return fit(network, dataset, recipe, {
      evaluation,
      start,
      steps,
      signal,
      onStep: (report) => this.showStep(report),
      onEpoch: (report) => this.showEpoch(report),
      checkpoint: (state) => saveCheckpoint(folder, network, state, this.identity),
    });
  }

  private async resume(): Promise<TrainingState> {
    const { folder, network } = this.parts;
    const { state, file, notice } = await resumeCheckpoint(folder, network, this.identity);
    if (notice !== undefined) warn(notice);
    say(`resuming from ${file}: ${plural(state.step, "step")} done`);
    return state;
  }

  private async openLogs({ log }: RunOptions, start: TrainingState | undefined): Promise<void> {
    const paths = [this.file("metrics.jsonl"), ...(log === undefined ? [] : [log])];
    const options = start === undefined ? {} : { resumedAt: start.step };
    this.logs = await Promise.all(paths.map((path) => MetricsLog.open(path, options)));
    const evaluations = (await this.records()).filter(isEvaluation);
    this.best = Math.max(
      this.best,
      ...evaluations.map((record) => scoreOf(record.eval, this.fractions)),
    );
  }

  private announce(options: RunOptions, start: TrainingState | undefined): void {
    const { dataset, evaluation, recipe } = this.parts;
    const { steps } = runLength(dataset.length, recipe, options.steps);
    const left = start === undefined ? steps : steps - start.step;
    const evaluated = evaluation ? `, evaluating on ${plural(evaluation.length, "image")}` : "";
    say(
      `training ${recipe.model} by ${recipe.name} on ${plural(dataset.length, "image")}${evaluated}: ` +
        `${plural(left, "step")} of ${plural(recipe.batch, "image")}`,
    );
  }

  // While it runs

  private showStep(report: StepReport): void {
    for (const log of this.logs) log.write(stepRecord(report));
    const { step, steps, epoch, learningRate, examplesPerSecond, metrics } = report;
    this.progress.update({
      ...{ step, steps, epoch, learningRate },
      examplesPerSecond,
      epochs: Math.ceil(steps / runLength(this.identity.examples, this.parts.recipe).stepsPerEpoch),
      loss: metrics["loss"]!,
      secondsLeft: this.pace.secondsLeft(step, steps),
    });
  }

  private async showEpoch(report: EpochReport): Promise<void> {
    const record = evaluationRecord(report);
    if (record) for (const log of this.logs) log.write(record);
    const now = performance.now();
    const seconds = (now - this.epochStartedAt) / 1000;
    this.epochStartedAt = now;
    const results = [
      `training ${describeMetrics(report.training, this.fractions)}`,
      ...(report.evaluation
        ? [`evaluation ${describeMetrics(report.evaluation.metrics, this.fractions)}`]
        : []),
    ];
    this.progress.note(`epoch ${report.epoch}: ${results.join("; ")} (${formatDuration(seconds)})`);
    await this.keepBest(report.evaluation);
  }

  private async keepBest(evaluation: Evaluation | undefined): Promise<void> {
    if (evaluation === undefined) return;
    const score = scoreOf(evaluation.metrics, this.fractions);
    if (score <= this.best) return;
    this.best = score;
    await saveWeights(this.file("best.safetensors"), this.parts.network, this.metadata);
  }

  // At the end

  private async finish(result: FitResult): Promise<void> {
    if (result.completed) await this.saveResult();
    await this.writeReport();
    const seconds = (performance.now() - this.startedAt) / 1000;
    print(result.completed ? this.describeResult(result, seconds) : this.describeStop(result));
  }

  private saveResult(): Promise<void> {
    return saveWeights(this.file("weights.safetensors"), this.parts.network, this.metadata);
  }

  private async writeReport(): Promise<void> {
    const { network, recipe, compiled } = this.parts;
    const title = `${recipe.model}, recipe ${recipe.name}`;
    const facts = {
      spec: compiled.spec.path,
      adapter: network.adapter.name,
      batch: String(recipe.batch),
      seed: String(recipe.seed),
      time: formatDuration((performance.now() - this.startedAt) / 1000),
    };
    const records = await this.records();
    await writeOutput(
      this.file("report.html"),
      renderReport({ title, facts, records, fractions: this.fractions }),
    );
  }

  private describeResult({ state, evaluation }: FitResult, seconds: number): string {
    const { compiled } = this.parts;
    const weights = this.file("weights.safetensors");
    const use = `${compiled.spec.path} --weights ${weights}`;
    return [
      `trained ${plural(state.step, "step")} in ${formatDuration(seconds)}`,
      ...(evaluation ? [describeEvaluation(evaluation, this.fractions)] : []),
      "",
      `weights  ${weights}`,
      ...(evaluation ? [`best     ${this.file("best.safetensors")}`] : []),
      `curves   ${this.file("report.html")}`,
      `metrics  ${this.file("metrics.jsonl")}`,
      "",
      "use them:",
      `  npx netc eval ${use}`,
      `  npx netc predict ${use} IMAGE`,
    ].join("\n");
  }

  private describeStop({ state }: FitResult): string {
    return [
      `stopped after ${plural(state.step, "step")}; the checkpoint is in ${this.parts.folder}`,
      "",
      "go on with the same command and --resume:",
      `  npx netc ${resumeArguments().join(" ")}`,
    ].join("\n");
  }

  private file(name: string): string {
    return join(this.parts.folder, name);
  }

  private records(): Promise<MetricsRecord[]> {
    return readMetrics(this.file("metrics.jsonl"));
  }
}

type NumberByName = Readonly<Record<string, number>>;

/** What "best" means: the first metric that is a share, else the loss, the smaller the better. */
function scoreOf(metrics: NumberByName, fractions: readonly string[]): number {
  const value = fractions[0] === undefined ? undefined : metrics[fractions[0]];
  return value ?? -(metrics["loss"] ?? Infinity);
}

/** `loss 0.0712, top1 98.1%`. */
function describeMetrics(metrics: NumberByName, fractions: readonly string[]): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value, fractions)}`)
    .join(", ");
}

function describeEvaluation(
  { examples, metrics }: Evaluation,
  fractions: readonly string[],
): string {
  const { loss, ...others } = metrics;
  const ordered = { ...others, ...(loss !== undefined && { loss }) };
  const noun = fractions.length > 0 ? "test accuracy" : "test";
  return `${noun}: ${describeMetrics(ordered, fractions)} on ${plural(examples, "image")}`;
}

/** This command line again, with --resume, as a shell takes it. */
function resumeArguments(): string[] {
  const given = process.argv.slice(2).filter((argument) => argument !== "--resume");
  return [...given, "--resume"].map(quote);
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
