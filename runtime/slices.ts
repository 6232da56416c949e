/** A call's examples in slices that fit the device, one after the other. */
import type { Program } from "../program/program.js";
import { largestBatch } from "./memory.js";

/** Images [first, first + count) of a call. */
export interface Slice {
  readonly first: number;
  readonly count: number;
}

/** Slices of at most `most` images, and at least so many of them as are asked for, as even as torch.chunk makes them. */
export function slicesOf(
  images: number,
  { most, atLeast = 1 }: { readonly most: number; readonly atLeast?: number },
): readonly Slice[] {
  const wanted = Math.max(Math.ceil(images / most), Math.min(atLeast, images));
  const each = Math.ceil(images / wanted);
  return Array.from({ length: Math.ceil(images / each) }, (_, index) => {
    const first = index * each;
    return { first, count: Math.min(each, images - first) };
  });
}

/** The part of a call's values, so many for each of its images, that is a slice's. */
export function partOf<Values extends Float32Array | Uint32Array | Uint8Array>(
  values: Values,
  { first, count }: Slice,
  images: number,
): Values {
  const each = values.length / images;
  return values.subarray(first * each, (first + count) * each) as Values;
}

/**
 * The most images up to `wanted` with which each of the program's buffers can be bound: a batch beyond it comes in slices. `wanted` itself
 * where not even one image fits, which is then an error of its own (memory.ts).
 */
export function largestSlice(
  { buffers }: Pick<Program, "buffers">,
  wanted: number,
  limits: Pick<GPUSupportedLimits, "maxStorageBufferBindingSize" | "maxBufferSize">,
): number {
  const limit = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const bound = buffers.filter(({ largestBatch: to = wanted }) => to >= wanted);
  const most = Math.min(...bound.map(({ bytes }) => largestBatch(bytes, limit)));
  return most < 1 ? wanted : Math.min(wanted, most);
}
