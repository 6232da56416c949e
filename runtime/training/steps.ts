/**
 * A run's steps as its recipe wants them: on which batches, at which learning rate, with which
 * weights in training.
 */
import { imageOf } from "../../program/tensors.js";
import type { TrainRecipe } from "../../program/recipe.js";
import type { Dataset } from "../data/dataset.js";
import { loadBatches, type LoaderOptions } from "../data/loader.js";
import { chooseStaging } from "../data/stage.js";
import type { SharedStep } from "../calls.js";
import type { Measurement } from "../measurement.js";
import type { Exchange } from "./exchange.js";
import type { TrainableNetwork } from "./network.js";
import type { Counts, Progress } from "./progress.js";
import { learningRateAt, phaseAt, type RunLength } from "./schedule.js";
import { isDataset, passOver, type BatchSource, type TrainingBatch } from "./source.js";
import { untilAborted } from "./until-aborted.js";

/** Where a pass over the training data begins, and which part of each batch it takes. */
export interface EpochPass extends Pick<LoaderOptions, "part"> {
  readonly epoch: number;
  readonly start: number;
  /** Batches that come ready made: those of an epoch. */
  readonly most: number;
}

/** The batches of an epoch from one on, as training has them. */
export function batchesOfEpoch(
  { program }: Pick<TrainableNetwork, "program">,
  dataset: Dataset | BatchSource,
  recipe: TrainRecipe,
  { part, ...pass }: EpochPass,
): AsyncGenerator<TrainingBatch, void, void> {
  if (!isDataset(dataset)) return passOver(dataset, { ...pass, program });
  const { epoch, start } = pass;
  const shape = imageOf(program);
  const transforms = recipe.data?.train?.transforms ?? [];
  const staging = chooseStaging(program, "train", { dataset, transforms });
  const { batch, seed, dropLast, sampling } = recipe;
  const all = { batch, dropLast, sampling, seed, epoch, start, part };
  return loadBatches(dataset, { ...all, shape, transforms, staging, shuffle: true });
}

/** A step whose result has not been looked at yet. */
export interface RunningStep {
  readonly measurement: Promise<Measurement>;
  /** Examples of the step, of all ranks. */
  readonly count: number;
  readonly learningRate: number;
  /** After it. */
  readonly counts: Counts;
}

export class Steps {
  /** The network's, once it is known. */
  private phase: number | undefined;

  constructor(
    private readonly network: TrainableNetwork,
    private readonly dataset: Dataset | BatchSource,
    private readonly recipe: TrainRecipe,
    readonly length: RunLength,
    private readonly progress: Progress,
    private readonly signal: AbortSignal | undefined,
    private readonly exchange: Exchange | undefined,
  ) {}

  /** The network has become that of the run's state, by whatever way. */
  restart(): void {
    this.phase = undefined;
    this.network.setStep(this.progress.state.step);
  }

  /** The rest of the current epoch's batches, or those that come before the run is stopped. */
  batches(): AsyncGenerator<TrainingBatch, void, void> {
    // Ranks stop where they meet, all before the same step.
    return this.exchange ? this.allBatches() : untilAborted(this.allBatches(), this.signal);
  }

  private allBatches(): AsyncGenerator<TrainingBatch, void, void> {
    const { dataset, network, recipe, length } = this;
    const { epoch, position: start } = this.progress.state;
    const part = this.exchange?.part;
    return batchesOfEpoch(network, dataset, recipe, {
      epoch,
      start,
      most: length.stepsPerEpoch,
      part,
    });
  }

  /** Whether the next step trains other weights than the one before it. */
  beginsPhase({ step }: Counts): boolean {
    return this.phaseAt(step) !== this.phase;
  }

  /**
   * Lets the network train the weights that the next step is to train. No step may be under way.
   */
  async enterPhase(): Promise<void> {
    const phase = this.phaseAt(this.progress.state.step);
    await this.network.enterPhase?.(phase);
    this.phase = phase;
  }

  private phaseAt(step: number): number {
    return phaseAt(this.recipe, step, this.length);
  }

  /**
   * Hands a step to the network; `before` is what was done and handed over before it, `share` what
   * the step is a part of.
   */
  submit(batch: TrainingBatch, before: Counts, share?: SharedStep): RunningStep {
    const { accumulate } = this.recipe;
    const learningRate = this.learningRateAt(before.step);
    const measurement = this.network.measureStep(batch.images, batch.targets, {
      learningRate,
      // The loader makes every batch in new arrays.
      transfer: isDataset(this.dataset),
      accumulate:
        accumulate === undefined
          ? undefined
          : Math.ceil(accumulate / (this.exchange?.part.size ?? 1)),
      share,
    });
    // Awaited one step later: a rejection until then is not an unhandled one.
    measurement.catch(() => {});
    const counts = { step: before.step + 1, epoch: before.epoch, position: batch.position + 1 };
    return { measurement, count: share?.images ?? batch.count, learningRate, counts };
  }

  learningRateAt(step: number): number {
    const { recipe, length, progress } = this;
    return learningRateAt(recipe, step, length, progress.state.plateau?.factor);
  }
}
