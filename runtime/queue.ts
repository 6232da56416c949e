/** The calls of a network, one after another on its device, until it is destroyed. */
import type { Device } from "./device.js";
import { InputError, NetcError } from "./errors.js";

export class Queue {
  /** `destroy` and `reopen` change these two. */
  isDestroyed = false;
  /** Settles when every call so far has been submitted. */
  private submitted: Promise<unknown> = Promise.resolve();

  /** `open` opens another device like the first; absent where the device is the user's own. */
  constructor(
    public device: Device,
    private readonly open: (() => Promise<Device>) | undefined,
  ) {}

  /** Runs `work` when all earlier calls are submitted. */
  enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.submitted.then(() => {
      this.assertAlive();
      return work();
    });
    this.submitted = turn.catch(() => undefined);
    return this.explain(turn);
  }

  /** What WebGPU reports when a device goes away under a call is less helpful than what we know. */
  async explain<T>(result: Promise<T>): Promise<T> {
    try {
      const value = await result;
      this.assertAlive();
      return value;
    } catch (error) {
      if (!(error instanceof NetcError)) {
        await this.device.settled();
        this.assertAlive();
      }
      throw error;
    }
  }

  get canReopen(): boolean {
    return this.open !== undefined && !this.isDestroyed;
  }

  /** Throws InputError where there is no other device to open. */
  assertCanReopen(): void {
    if (this.canReopen) return;
    throw new InputError("the network cannot open a device itself: create another on a new one");
  }

  /** Continues on another device, with no calls waiting. */
  async reopen(): Promise<Device> {
    this.device.release();
    this.device = await this.open!();
    this.submitted = Promise.resolve();
    // A network that was destroyed meanwhile must not keep it.
    if (this.isDestroyed) this.device.release();
    this.assertAlive();
    return this.device;
  }

  /** Releases the device. Calls under way reject. */
  destroy(): void {
    this.isDestroyed = true;
    this.device.release();
  }

  private assertAlive(): void {
    if (this.isDestroyed) throw new InputError("the network was destroyed: create another");
    this.device.assertUsable();
  }
}
