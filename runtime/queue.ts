/** The calls of a network, one after another on its device, until it is destroyed. */
import type { Device } from "./device.js";
import { InputError, NetcError } from "./errors.js";

export class Queue {
  private opened: Device;
  private hasEnded = false;
  /** Settles when every call so far has been submitted. */
  private submitted: Promise<unknown> = Promise.resolve();

  /** `open` opens another device like the first; absent where the device is the user's own. */
  constructor(
    device: Device,
    private readonly open: (() => Promise<Device>) | undefined,
  ) {
    this.opened = device;
  }

  get device(): Device {
    return this.opened;
  }

  get isDestroyed(): boolean {
    return this.hasEnded;
  }

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
        await this.opened.settled();
        this.assertAlive();
      }
      throw error;
    }
  }

  get canReopen(): boolean {
    return this.open !== undefined && !this.hasEnded;
  }

  /** Throws InputError where there is no other device to open. */
  assertCanReopen(): void {
    if (this.canReopen) return;
    throw new InputError("the network cannot open a device itself: create another on a new one");
  }

  /** Continues on another device, with no calls waiting. */
  async reopen(): Promise<Device> {
    this.opened.release();
    this.opened = await this.open!();
    this.submitted = Promise.resolve();
    // A network that was destroyed meanwhile must not keep it.
    if (this.hasEnded) this.opened.release();
    this.assertAlive();
    return this.opened;
  }

  /** Releases the device. Calls under way reject. */
  destroy(): void {
    this.hasEnded = true;
    this.opened.release();
  }

  private assertAlive(): void {
    if (this.hasEnded) throw new InputError("the network was destroyed: create another");
    this.opened.assertUsable();
  }
}
