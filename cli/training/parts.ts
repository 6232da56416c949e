/** What a training run is made of, and what watches it. */
import type { TrainRecipe } from "../../program/recipe.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import type { Network } from "../../runtime/network.js";
import type {
  FitResult,
  StatisticsReport,
  StepReport,
  TrainingState,
  WireKind,
} from "../../runtime/training/index.js";
import type { CompiledSpec } from "../compiled.js";
import type { RunFolder } from "./folder.js";
import type { JudgedEpoch } from "./judge.js";
import type { TrainingRanks } from "./ranks.js";

export interface TrainingParts {
  readonly compiled: CompiledSpec;
  /** With the flags' changes. */
  readonly recipe: TrainRecipe;
  readonly dataset: Dataset;
  readonly evaluation: Dataset | undefined;
  /** What was said of the data: unused files, classes of one split alone, shared files. */
  readonly notices: readonly string[];
  readonly network: Network;
  /**
   * Puts in place what the run starts from, where it is not what the seed gives; for a run that
   * does not continue from a checkpoint.
   */
  readonly initialize: () => Promise<void>;
  readonly claim: RunFolder;
  /** The claim's: where the run's files go. */
  readonly folder: string;
  /** The ranks that train together, where there are others. */
  readonly ranks: TrainingRanks | undefined;
}

export interface RunOptions {
  readonly resume?: boolean;
  /** Ends the run after this many steps, instead of the recipe's epochs. */
  readonly steps?: number;
  /** Saves a checkpoint after every this many steps, in addition to those that are due anyway. */
  readonly checkpointSteps?: number;
  /** In what numbers gradients travel between ranks. */
  readonly wire?: WireKind;
  /** Another file for the lines of metrics.jsonl. */
  readonly log?: string;
  /** Serves the report during the run. */
  readonly open?: boolean;
  /** Writes TensorBoard's event files: into this folder, or into the run's own. */
  readonly tensorboard?: string | true;
}

/**
 * Something that a run tells of its progress: the screen, a log, a report. Told in the order in
 * which they are listed.
 */
export interface RunObserver {
  /** Before the first step; `start` is where a resumed run continues. */
  begin?(start: TrainingState | undefined): void | Promise<void>;
  step?(report: StepReport): void;
  /** Awaited before the run continues. */
  epoch?(report: JudgedEpoch): void | Promise<void>;
  /** Before and after batch normalization is measured for averaged weights. */
  statistics?(report: StatisticsReport): void;
  /** The device was lost, and the run continues from this state. */
  restart?(state: TrainingState): void | Promise<void>;
  /** After the last step, completed or stopped. The signal asks for haste. */
  finish?(result: FitResult, signal: AbortSignal): void | Promise<void>;
  /** In any case, also after an error. */
  close?(): void | Promise<void>;
}

/** What a run has taken so far, for those who tell of it. */
export class Stopwatch {
  private readonly start = performance.now();

  get seconds(): number {
    return (performance.now() - this.start) / 1000;
  }
}
