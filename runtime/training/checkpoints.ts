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
  private copy: { readonly bytes: Uint8Array; readonly state: TrainingState } | undefined;

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
    if (checkpoint === undefined && !this.keepsCopies) return false;
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

  /** Whether copies in memory take the place of what `restore` would bring back. */
  private get keepsCopies(): boolean {
    const { network, options } = this;
    const isAlone = !options.restore && !options.exchange;
    return isAlone && network.save !== undefined && network.load !== undefined;
  }

  private get secondsSince(): number {
    return (performance.now() - this.savedAt) / 1000;
  }

  /** Throws a NotFiniteError where the weights are not finite. */
  async save(state: TrainingState): Promise<void> {
    const start = performance.now();
    await this.options.checkpoint?.(state);
    if (this.keepsCopies) await this.keepCopy(state);
    this.savedAt = performance.now();
    this.savingTime = this.savedAt - start;
  }

  private async keepCopy(state: TrainingState): Promise<void> {
    const bytes = await this.network.save!({ optimizer: true });
    assertFiniteTensors(bytes);
    this.copy = { bytes, state };
  }

  /**
   * Brings back into the network what was saved last, and resolves to its state. Throws an
   * InputError where nothing was.
   */
  async restore(): Promise<TrainingState> {
    if (this.options.restore) return this.options.restore();
    if (!this.copy) throw new InputError("there is nothing to continue from");
    const { bytes, state } = this.copy;
    await this.network.load!(bytes);
    return state;
  }
}
