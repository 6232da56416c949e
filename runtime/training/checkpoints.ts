/** When a run is saved, and what it continues from after a lost device or NaN. */
import { InputError } from "../errors.js";
import { assertFiniteTensors } from "./finite.js";
import type { TrainableNetwork } from "./network.js";
import type { FitOptions } from "./options.js";
import type { TrainingState } from "./state.js";

const DEFAULT_SECONDS = 600;

/**
 * At an epoch's end, the next checkpoint is worth its time after training this many times as long
 * as the last one took.
 */
const SAVING_SHARE = 10;

export class Checkpoints {
  private savedAt = performance.now();
  /** Milliseconds that the last checkpoint took. */
  private savingTime = 0;
  /** What a checkpoint would hold, where there is nowhere to restore one from. */
  private snapshot: { readonly bytes: Uint8Array; readonly state: TrainingState } | undefined;

  constructor(
    private readonly network: Pick<TrainableNetwork, "save" | "load">,
    private readonly options: Pick<
      FitOptions,
      "checkpoint" | "checkpointSeconds" | "checkpointSteps" | "exchange" | "restore"
    >,
  ) {}

  /** Whether one is wanted within an epoch, after this many steps. */
  isDue(step: number): boolean {
    const { checkpoint, checkpointSteps, checkpointSeconds = DEFAULT_SECONDS } = this.options;
    if (checkpoint === undefined) return false;
    if (checkpointSteps !== undefined && step % checkpointSteps === 0) return true;
    return this.secondsSince >= checkpointSeconds;
  }

  /**
   * Whether saving now costs little compared with the training since: epochs of a few steps are not
   * worth a checkpoint each.
   */
  get pays(): boolean {
    return this.secondsSince * 1000 >= SAVING_SHARE * this.savingTime;
  }

  private get secondsSince(): number {
    return (performance.now() - this.savedAt) / 1000;
  }

  /** Throws a NotFiniteError where the weights are not finite. */
  async save(state: TrainingState): Promise<void> {
    const start = performance.now();
    await this.options.checkpoint?.(state);
    if (!this.options.restore && !this.options.exchange) await this.keepSnapshot(state);
    this.savedAt = performance.now();
    this.savingTime = this.savedAt - start;
  }

  private async keepSnapshot(state: TrainingState): Promise<void> {
    const { network } = this;
    if (!network.save || !network.load) return;
    const bytes = await network.save({ optimizer: true });
    assertFiniteTensors(bytes);
    this.snapshot = { bytes, state };
  }

  /**
   * Brings back into the network what was saved last, and resolves to its state. Throws an
   * InputError where nothing was.
   */
  async restore(): Promise<TrainingState> {
    if (this.options.restore) return this.options.restore();
    if (!this.snapshot) throw new InputError("there is nothing to continue from");
    const { bytes, state } = this.snapshot;
    await this.network.load!(bytes);
    return state;
  }
}
