/**
 * A program's buffers on the device: sized by the batch, checked against the limits, allocated when
 * first needed.
 */
import { bindableBytes } from "../program/limits.js";
import { bufferBytes } from "../program/planned-memory.js";
import type { Program, ProgramBuffer } from "../program/program.js";
import { largestBatch } from "../program/slices.js";
import { BufferUsage } from "./constants.js";
import { inErrorScopes } from "./error-scopes.js";

type Purpose = ProgramBuffer["purpose"];

/** Bytes allocated on the device, by purpose; `runtime` is what the runtime itself needs. */
export type MemoryUse = { readonly [purpose in Purpose | "runtime"]: number } & {
  readonly total: number;
};

/** A buffer, or a texture with its bytes. */
export interface Owned {
  readonly size: number;
  destroy(): void;
}

export class Memory {
  /** By index in the program; programs that see inside a network borrow those of its parameters. */
  readonly buffers = new Map<number, GPUBuffer>();
  /** What else is counted as the network's and freed with it. */
  readonly extra = new Set<Owned>();
  /** Whether running statistics of averages are up to date (measured.ts). */
  declare measured?: number | undefined;
  private destroyed = false;

  constructor(
    private readonly gpu: GPUDevice,
    private readonly program: Program,
    readonly batch: number,
  ) {}

  /** The buffer of that index in the program. It must have been allocated. */
  buffer(index: number): GPUBuffer {
    const buffer = this.buffers.get(index);
    if (buffer === undefined) throw new Error(`buffer ${index} is not allocated`);
    return buffer;
  }

  /**
   * Allocates those of the program's buffers that are missing; all start as zeros. Throws
   * BatchTooLargeError or DeviceLimitError before it allocates anything.
   */
  async allocate(indices: Iterable<number>): Promise<void> {
    this.assertAlive();
    const missing = [...new Set(indices)].filter((index) => !this.buffers.has(index));
    if (missing.length === 0) return;
    await this.checkLimits(missing);
    await this.guarded(() =>
      missing.map((index) => {
        const buffer = this.create(index);
        this.buffers.set(index, buffer);
        return buffer;
      }),
    );
  }

  /** A buffer of the runtime's own, destroyed with the others. */
  createOwn(size: number, usage: number, label: string): GPUBuffer {
    this.assertAlive();
    const buffer = this.gpu.createBuffer({ size, usage, label });
    this.extra.add(buffer);
    return buffer;
  }

  /** Buffers of the runtime's own as large as a prediction. Throws BatchTooLargeError. */
  allocateOwn(count: number, size: number, usage: number, label: string): Promise<GPUBuffer[]> {
    const create = () => Array.from({ length: count }, () => this.createOwn(size, usage, label));
    return this.guarded(create);
  }

  get use(): MemoryUse {
    const use: Record<Purpose | "runtime" | "total", number> = {
      parameter: 0,
      state: 0,
      folded: 0,
      gradient: 0,
      images: 0,
      labels: 0,
      partners: 0,
      shares: 0,
      staged: 0,
      draws: 0,
      metrics: 0,
      prediction: 0,
      scratch: 0,
      runtime: 0,
      total: 0,
    };
    for (const [index, buffer] of this.buffers) {
      use[this.program.buffers[index]!.purpose] += buffer.size;
      use.total += buffer.size;
    }
    for (const buffer of this.extra) use.runtime += buffer.size;
    use.total += use.runtime;
    return use;
  }

  /** Frees all buffers. Allocations that are asked for afterwards, by calls under way, throw. */
  destroy(): void {
    this.destroyed = true;
    for (const buffer of [...this.buffers.values(), ...this.extra]) buffer.destroy();
  }

  private async checkLimits(indices: readonly number[]): Promise<void> {
    const { program, batch, gpu } = this;
    const limit = bindableBytes(gpu.limits);
    const fits = (index: number) => largestBatch(program.buffers[index]!.bytes, limit) >= batch;
    if (indices.every(fits)) return;
    throw (await import("./buffer-problems.js")).tooLarge(program, indices, { batch, limit });
  }

  private assertAlive(): void {
    if (this.destroyed) throw new Error("the network's buffers were freed");
  }

  private create(index: number): GPUBuffer {
    const { name, bytes } = this.program.buffers[index]!;
    const usage = BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyDestination;
    return this.gpu.createBuffer({ label: name, size: bufferBytes(bytes, this.batch), usage });
  }

  /**
   * Runs allocations in error scopes. Where one of them fails, none is kept, so that the next call
   * tries again.
   */
  private async guarded(create: () => GPUBuffer[]): Promise<GPUBuffer[]> {
    const { result: made, error } = inErrorScopes(this.gpu, create);
    const found = await error;
    if (!found) return made;
    const failed = new Set(made);
    for (const [index, buffer] of this.buffers) {
      if (failed.has(buffer)) this.buffers.delete(index);
    }
    for (const buffer of made) {
      this.extra.delete(buffer);
      buffer.destroy();
    }
    throw (await import("./buffer-problems.js")).noRoom(made, this.batch, found);
  }
}
