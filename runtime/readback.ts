/**
 * Results on their way back to JavaScript: a ring of staging buffers, so that a step need not wait
 * for the last.
 */
import { BufferUsage, MAP_MODE_READ } from "./constants.js";
import { inErrorScopes } from "./error-scopes.js";
import { DeviceLimitError } from "./errors.js";
import type { Memory } from "./memory.js";

interface Slot {
  readonly buffer: GPUBuffer;
  /** Settles when the slot's last reader is done. */
  idle: Promise<unknown>;
}

export class Readback {
  private readonly slots: readonly Slot[];
  private next = 0;

  private constructor(buffers: readonly GPUBuffer[]) {
    this.slots = buffers.map((buffer) => ({ buffer, idle: Promise.resolve() }));
  }

  /** A ring of `slots` staging buffers of `bytes` each. Throws BatchTooLargeError. */
  static async create(
    memory: Memory,
    bytes: number,
    slots: number,
    label: string,
  ): Promise<Readback> {
    const usage = BufferUsage.mapRead | BufferUsage.copyDestination;
    return new Readback(await memory.allocateOwn(slots, bytes, usage, `${label} staging`));
  }

  /** The next staging buffer, once it is free. To be followed by `collect` of the same slot. */
  async acquire(): Promise<Slot> {
    const slot = this.slots[this.next]!;
    this.next = (this.next + 1) % this.slots.length;
    await slot.idle;
    return slot;
  }

  /** Reads `floats` numbers from a slot after the work that fills it was submitted. */
  collect(slot: Slot, floats: number): Promise<Float32Array<ArrayBuffer>> {
    const result = readMapped(slot.buffer, floats);
    slot.idle = result.catch(() => undefined);
    return result;
  }
}

async function readMapped(buffer: GPUBuffer, floats: number): Promise<Float32Array<ArrayBuffer>> {
  await buffer.mapAsync(MAP_MODE_READ, 0, floats * 4);
  const values = new Float32Array(buffer.getMappedRange(0, floats * 4).slice(0));
  buffer.unmap();
  return values;
}

/**
 * Copies a buffer, or its first bytes, back through a separate staging buffer: outside the
 * training loop.
 */
export async function readBuffer(
  gpu: GPUDevice,
  source: GPUBuffer,
  bytes = source.size,
): Promise<Float32Array<ArrayBuffer>> {
  const usage = BufferUsage.mapRead | BufferUsage.copyDestination;
  const { result: staging, error } = inErrorScopes(gpu, () => {
    const made = gpu.createBuffer({ size: bytes, usage, label: "read staging" });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, made, 0, bytes);
    gpu.queue.submit([encoder.finish()]);
    return made;
  });
  try {
    return await readMapped(staging, bytes / 4);
  } catch (reason) {
    const found = await error;
    if (!found) throw reason;
    throw new DeviceLimitError(`no room to read ${bytes} bytes: ${found.message}`);
  } finally {
    staging.destroy();
  }
}
