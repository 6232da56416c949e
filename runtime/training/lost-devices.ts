/** Another device for a network that has lost its own. */
import { isNamed } from "../named-errors.js";
import type { TrainableNetwork } from "./network.js";

/** Devices that may be lost one after the other while the run comes no farther. */
const MOST_LOSSES = 3;

/**
 * Seconds to wait for an adapter before it is asked for again: drivers that were reset take a while
 * to come back.
 */
const REOPENING_DELAYS = [1, 5, 15];

export class LostDevices {
  /** Since a step that was not done before. */
  private losses = 0;
  private farthest = 0;

  constructor(private readonly network: TrainableNetwork) {}

  /** Steps that are repeated after a loss do not count: the same one may lose each device. */
  noteStep(step: number): void {
    if (step <= this.farthest) return;
    this.farthest = step;
    this.losses = 0;
  }

  /**
   * Opens another device where `error` is the loss of one; its weights are the initial ones.
   * Resolves to why, or throws the error where that is not possible.
   */
  async replace(error: unknown): Promise<string> {
    const isGone = isNamed(error, "DeviceLostError") && error.isGone;
    if (!isGone || !this.network.canReopen || ++this.losses > MOST_LOSSES) throw error;
    await this.reopen();
    return error.message;
  }

  private async reopen(): Promise<void> {
    for (const seconds of REOPENING_DELAYS) {
      try {
        return await this.network.reopen!();
      } catch (error) {
        if (!isNamed(error, "NoAdapterError")) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      }
    }
    await this.network.reopen!();
  }
}
