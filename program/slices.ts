/** How many images of a batch fit a device at a time. */
import type { BufferSize, ProgramBuffer } from "./program.js";

/** The most images with which a buffer of such a size can be bound; 0 where none can. */
export function largestBatch({ least = 0, ...bytes }: BufferSize, bindable: number): number {
  if (Math.max(least, bytes.fixed) > bindable) return 0;
  if (bytes.perImage <= 0) return Infinity;
  return Math.floor((bindable - bytes.fixed) / bytes.perImage);
}

/** A buffer as far as its size is concerned. */
export type SizedBuffer = Pick<ProgramBuffer, "bytes" | "largestBatch">;

/**
 * The most images up to `wanted` with which each of the buffers can be bound: a larger
 * batch is split into slices. 0 if a single image does not fit. Smaller slices may bind buffers
 * that larger ones do without, so that a bound is looked for again below each bound.
 */
export function largestSlice(
  buffers: readonly SizedBuffer[],
  wanted: number,
  bindable: number,
): number {
  const bound = buffers.filter(({ largestBatch: to = wanted }) => to >= wanted);
  const most = Math.min(...bound.map(({ bytes }) => largestBatch(bytes, bindable)));
  if (most >= wanted || wanted < 1) return wanted;
  return largestSlice(buffers, most, bindable);
}
