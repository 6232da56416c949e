/** Why buffers cannot be allocated: loaded only where that is so. */
import { formatBytes } from "../program/format-bytes.js";
import { bufferBytes } from "../program/planned-memory.js";
import type { Program, ProgramBuffer } from "../program/program.js";
import { largestBatch } from "../program/slices.js";
import { BatchTooLargeError, DeviceLimitError } from "./errors.js";

interface Wanted {
  readonly batch: number;
  /** Bytes that the device binds at most. */
  readonly limit: number;
}

/**
 * The error for buffers of which one or more exceed what the device can bind: DeviceLimitError
 * where a single image is too much, naming the first buffer for which it is, else
 * BatchTooLargeError, with the largest batch that fits.
 */
export function tooLarge(
  program: Pick<Program, "buffers" | "parameters">,
  indices: readonly number[],
  { batch, limit }: Wanted,
): DeviceLimitError {
  const sizes = indices.map((index) => {
    const buffer = withLocation(program, index);
    return { buffer, fits: largestBatch(buffer.bytes, limit) };
  });
  const never = sizes.find(({ fits }) => fits < 1);
  if (never) {
    const needs = describeNeed(never.buffer, 1, limit);
    return new DeviceLimitError(`the model does not fit this device: ${needs}`);
  }
  const excess = sizes.find(({ fits }) => fits < batch)!;
  const largest = Math.min(...sizes.map(({ fits }) => fits));
  return new BatchTooLargeError(
    `a batch of ${batch} is too large for this device: ` +
      `${describeNeed(excess.buffer, batch, limit)}; ` +
      `the largest batch that fits is ${largest}`,
    largest,
  );
}

/** The error for buffers that a device with such limits did not make. */
export function noRoom(
  made: readonly { readonly size: number }[],
  batch: number,
  { message }: { readonly message: string },
): BatchTooLargeError {
  const bytes = made.reduce((sum, { size }) => sum + size, 0);
  return new BatchTooLargeError(
    `the device has no room for ${formatBytes(bytes)} more at a batch of ${batch}; ` +
      `choose a smaller batch (${message})`,
  );
}

/** A buffer with its layer's place: a parameter's is the parameter's. */
function withLocation(
  { buffers, parameters }: Pick<Program, "buffers" | "parameters">,
  index: number,
): ProgramBuffer {
  const buffer = buffers[index]!;
  const holds = ({ pieces }: Program["parameters"][number]) =>
    pieces.some((piece) =>
      [piece.buffer, piece.average, piece.gradient, ...(piece.states ?? [])].includes(index),
    );
  const location = buffer.location ?? parameters.find(holds)?.location;
  return { ...buffer, location };
}

function describeNeed(
  { name, bytes, location }: ProgramBuffer,
  batch: number,
  limit: number,
): string {
  const place = location ? ` (line ${location.line})` : "";
  const grows = batch === 1 && bytes.perImage > 0 ? " for a single image" : "";
  const size = formatBytes(bufferBytes(bytes, batch));
  return (
    `\`${name}\`${place} needs ${size}${grows}, ` +
    `and the device binds at most ${formatBytes(limit)}`
  );
}
