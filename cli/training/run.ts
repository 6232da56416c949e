/**
 * A training run on disk and on the screen: resumed or begun, watched, saved, and ended early by
 * Ctrl-C.
 */
import {
  resumeCheckpoint,
  saveCheckpoint,
  saveWeights,
  type RunIdentity,
  type RunPlan,
} from "../../runtime/node/training.js";
import {
  fit,
  runLength,
  type FitResult,
  type TrainingState,
} from "../../runtime/training/index.js";
import { contentsOf } from "../../runtime/node/data/contents.js";
import { join } from "node:path";
import { warn } from "../terminal.js";
import { warnOfUnreadable } from "../data.js";
import { wrongInput } from "../failure.js";
import { plural } from "../format.js";
import { listenForInterrupt } from "../interrupt.js";
import { print, say } from "../terminal.js";
import { dataMetadata } from "../weights.js";
import { BestWeights, withBestOf } from "./best.js";
import { RunDisplay } from "./display.js";
import { Hints } from "./hints/index.js";
import { judgeEpoch, keepsRecalls, type Judgment } from "./judge.js";
import { MetricsFiles } from "./logs.js";
import { describeResult, describeStop, explainFailure } from "./outcome.js";
import { dependsOnLength } from "./schedule-change.js";
import { Stopwatch, type RunObserver, type RunOptions, type TrainingParts } from "./parts.js";
import { ReportBuilder } from "./report/build.js";
import { GeneratedSamples } from "./report/generated.js";
import { ReportFile } from "./report/file.js";
import { LiveReport } from "./report/live.js";
import { TensorBoardLog } from "./tensorboard.js";

export class TrainingRun {
  private readonly stopwatch = new Stopwatch();
  private readonly identity: RunIdentity & { readonly plan: RunPlan };
  private readonly metrics: MetricsFiles;
  private readonly observers: readonly RunObserver[];

  constructor(
    private readonly parts: TrainingParts,
    private readonly options: RunOptions,
  ) {
    const { recipe, dataset } = parts;
    this.identity = {
      seed: recipe.seed,
      batch: recipe.batch,
      examples: dataset.length,
      contents: contentsOf(dataset),
      classes: dataset.classes,
      table: dataset.table,
      plan: {
        steps: runLength(dataset.length, recipe, options.steps).steps,
        learningRate: recipe.optimizer.learningRate,
      },
    };
    this.metrics = new MetricsFiles(parts, options.log);
    this.observers = observersOf(parts, options, this.metrics, this.stopwatch);
  }

  /** Trains until the recipe, the steps or the user end the run, and says what came of it. */
  async start(): Promise<void> {
    const interrupt = listenForInterrupt("stopping after this step; Ctrl-C again ends at once");
    try {
      const start = this.options.resume ? await this.resume() : undefined;
      if (start === undefined) await this.parts.initialize();
      await this.parts.ranks?.share(this.parts.network, start);
      for (const observer of this.observers) await observer.begin?.(start);
      const result = await this.fit(start, interrupt.signal).catch((error: unknown) => {
        throw explainFailure(error, this.parts);
      });
      await this.finish(result, interrupt.signal);
    } finally {
      interrupt.dispose();
      for (const observer of this.observers) await observer.close?.();
    }
  }

  private fit(start: TrainingState | undefined, signal: AbortSignal): Promise<FitResult> {
    const { network, dataset, evaluation, recipe, ranks } = this.parts;
    return fit(network, dataset, recipe, {
      evaluation,
      start,
      steps: this.options.steps,
      signal,
      onStep: (report) => {
        this.parts.claim.noteStart();
        for (const observer of this.observers) observer.step?.(report);
      },
      onEpoch: async (report) => {
        const judgment = report.evaluation && (await this.judge(signal));
        const judged = { ...report, judgment };
        for (const observer of this.observers) await observer.epoch?.(judged);
      },
      onStatistics: (report) => {
        for (const observer of this.observers) observer.statistics?.(report);
      },
      checkpointSteps: this.options.checkpointSteps,
      restore: () => this.restore(),
      onRestart: (state, reason) => this.restart(state, reason),
      onSearch: (steps) =>
        say(`looking for the layer: ${plural(steps, "step")} again; Ctrl-C leaves it out`),
      checkpoint: (state) => this.save(state),
      exchange: ranks?.collective,
      wire: this.options.wire,
    });
  }

  /** Costs a pass over a part of the eval split: only where something shows it. */
  private judge(signal: AbortSignal): Promise<Judgment | undefined> {
    if (!this.options.open && !keepsRecalls(this.parts)) return Promise.resolve(undefined);
    return judgeEpoch(this.parts, signal);
  }

  private async save(state: TrainingState): Promise<void> {
    const { folder, network, claim } = this.parts;
    // No checkpoint is ahead of the log.
    this.metrics.sync();
    await saveCheckpoint(folder, network, state, this.identity);
    if (state.step > 0) await claim.discardOverwritten();
  }

  private async restore(): Promise<TrainingState> {
    const { folder, network } = this.parts;
    return (await resumeCheckpoint(folder, network, this.identity)).state;
  }

  private async restart(state: TrainingState, reason: string): Promise<void> {
    warn(`${reason.split(";")[0]}`);
    say(`another device was opened; continuing from the checkpoint of step ${state.step}`);
    for (const observer of this.observers) await observer.restart?.(state);
  }

  /** Undefined where the run ended before its first checkpoint, which is where it begins again. */
  private async resume(): Promise<TrainingState | undefined> {
    const { folder, network, claim } = this.parts;
    if (claim.wasBegun) {
      say(`the run in ${folder} ended before its first checkpoint, and begins again`);
      return undefined;
    }
    if (!claim.hasCheckpoint) {
      throw wrongInput(`there is no checkpoint in ${folder}`, "train without --resume first");
    }
    const { state, file, plan, notice } = await resumeCheckpoint(folder, network, this.identity);
    if (notice !== undefined) warn(notice);
    say(`resuming from ${file}: ${plural(state.step, "step")} done`);
    if (plan) this.announceChanges(plan);
    return withBestOf(folder, state);
  }

  /**
   * Flags may change how long a resumed run is and how fast it learns, which changes its result.
   */
  private announceChanges(before: RunPlan): void {
    const { steps, learningRate } = this.identity.plan;
    const changes = [
      ...(before.steps === steps ? [] : [`${plural(steps, "step")} (before: ${before.steps})`]),
      ...(before.learningRate === learningRate
        ? []
        : [`a learning rate of ${learningRate} (before: ${before.learningRate})`]),
    ];
    if (changes.length === 0) return;
    const change = `the resumed run has ${changes.join(" and ")}`;
    const { recipe, dataset } = this.parts;
    const { stepsPerEpoch } = runLength(dataset.length, recipe, this.options.steps);
    const runs = [before.steps, steps].map((length) => ({ stepsPerEpoch, steps: length }));
    const isSame = before.learningRate === learningRate && !dependsOnLength(recipe, runs);
    if (isSame) say(change);
    else warn(`${change}; its schedule follows that from here on`);
  }

  private async finish(result: FitResult, signal: AbortSignal): Promise<void> {
    this.parts.claim.noteStart();
    if (result.completed) await this.saveResult();
    for (const observer of this.observers) await observer.finish?.(result, signal);
    const describe = result.completed ? describeResult : describeStop;
    warnOfUnreadable(this.parts.dataset, this.parts.evaluation);
    print(describe(this.parts, result, this.stopwatch.seconds));
  }

  private saveResult(): Promise<void> {
    const { folder, network, dataset } = this.parts;
    const metadata = dataMetadata(dataset);
    return saveWeights(join(folder, "weights.safetensors"), network, metadata);
  }
}

/**
 * Logs come first: what is shown is in the files already. Of the reports, the live one ends with
 * what the file holds.
 */
function observersOf(
  parts: TrainingParts,
  options: RunOptions,
  metrics: MetricsFiles,
  stopwatch: Stopwatch,
): RunObserver[] {
  const display = new RunDisplay(parts, options.steps);
  const hints = new Hints(parts, (text) => display.note(text));
  const generated = new GeneratedSamples(parts);
  const builder = new ReportBuilder(parts, options, stopwatch, hints, generated);
  const report = new ReportFile(parts, metrics, builder);
  const { tensorboard, open } = options;
  return [
    metrics,
    ...(tensorboard ? [new TensorBoardLog(parts, folderOf(tensorboard))] : []),
    display,
    hints,
    new BestWeights(parts),
    generated,
    report,
    ...(open ? [new LiveReport(metrics, builder, report)] : []),
  ];
}

function folderOf(tensorboard: string | true): string | undefined {
  return tensorboard === true ? undefined : tensorboard;
}
