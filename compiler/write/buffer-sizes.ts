/** Sizes of buffers, which may grow with the batch. */
import { bufferBytes } from "../../program/planned-memory.js";
import type { BufferSize } from "../../program/program.js";

/**
 * Batches at which sizes are compared: what matters is which of two values is larger, and at a
 * single image what does not grow counts most.
 */
const NOMINAL_BATCHES = [1, 32] as const;

export const sizeOf = ({ fixed, perImage, least = 0 }: BufferSize): number =>
  NOMINAL_BATCHES.reduce((sum, batch) => sum + Math.max(least, fixed + perImage * batch), 0);

/**
 * What does not grow with the batch (gradients of weights) takes its size in addition to what does
 * (activations).
 */
const asSize = ({ fixed, perImage, least = 0 }: BufferSize): Required<BufferSize> =>
  perImage > 0 ? { fixed, perImage, least } : { fixed: 0, perImage, least: Math.max(least, fixed) };

/** Room for one or the other. */
export function larger(one: BufferSize, other: BufferSize): BufferSize {
  const [a, b] = [asSize(one), asSize(other)];
  const perImage = Math.max(a.perImage, b.perImage);
  const [fixed, least] = [Math.max(a.fixed, b.fixed), Math.max(a.least, b.least)];
  if (perImage === 0) return { fixed: least, perImage };
  return { fixed, perImage, least: least > 0 ? least : undefined };
}

/** Whether one buffer for both can be bound with an image, or either alone cannot. */
export function mayShare(one: BufferSize, other: BufferSize, bindable: number): boolean {
  const bytes = [larger(one, other), one, other].map((size) => bufferBytes(size, 1));
  return bytes[0]! <= Math.max(bindable, bytes[1]!, bytes[2]!);
}

/** Whether a buffer would have to grow at some batch to hold the other. */
export function grows(buffer: BufferSize, other: BufferSize): boolean {
  const [{ fixed, perImage, least }, wanted] = [asSize(buffer), asSize(other)];
  return wanted.fixed > fixed || wanted.perImage > perImage || wanted.least > least;
}
