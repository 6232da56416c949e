/** Parts of a program's buffers, read and written together. */
import { BufferUsage, MAP_MODE_READ } from "../constants.js";
import type { Loaded } from "../loaded.js";

/** A part of a buffer on the device, in bytes. */
export interface Range {
  /** The buffer's index in the program. */
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

type OnDevice = Pick<Loaded, "gpu" | "memory">;

/**
 * Encodes the copies of ranges to memory that JavaScript reads. The function that it returns waits
 * for the values, one range after the other; to be called after the encoder was submitted.
 */
export function startReading(
  { gpu, memory }: OnDevice,
  encoder: GPUCommandEncoder,
  ranges: readonly Range[],
): () => Promise<Float32Array> {
  const size = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
  const usage = BufferUsage.mapRead | BufferUsage.copyDestination;
  const staging = gpu.createBuffer({ size, usage, label: "ranges staging" });
  let at = 0;
  for (const { buffer, offset, bytes } of ranges) {
    encoder.copyBufferToBuffer(memory.buffer(buffer), offset, staging, at, bytes);
    at += bytes;
  }
  return async () => {
    try {
      await staging.mapAsync(MAP_MODE_READ);
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  };
}

export function write(
  { gpu, memory }: OnDevice,
  ranges: readonly Range[],
  values: Float32Array,
): void {
  let at = 0;
  for (const { buffer, offset, bytes } of ranges) {
    gpu.queue.writeBuffer(memory.buffer(buffer), offset, values.buffer, 4 * at, bytes);
    at += bytes / 4;
  }
}
