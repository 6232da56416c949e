/** What a program allocates on a device, known before it runs. */
import { stepsFor, type BufferSize, type Program, type ProgramStep } from "./program.js";

/** Bytes of a buffer for a batch, in whole vec4s. */
export function bufferBytes({ fixed, perImage, least = 16 }: BufferSize, batch: number): number {
  return 16 * Math.ceil(Math.max(least, fixed + perImage * batch) / 16);
}

/**
 * Bytes of every buffer that the steps bind: nothing else is allocated for them but the runtime's
 * own frame and staging.
 */
export function bytesOf(program: Program, steps: readonly ProgramStep[], batch: number): number {
  const used = new Set(stepsFor(steps, batch).flatMap((step) => step.buffers));
  return [...used].reduce(
    (sum, index) => sum + bufferBytes(program.buffers[index]!.bytes, batch),
    0,
  );
}

/** A batch and the slices that it comes in. */
export interface SlicedBatch {
  readonly batch: number;
  readonly slices: number;
}

/** Planned bytes of training a batch in this many slices. */
export function trainingBytes(program: Program, { batch, slices }: SlicedBatch): number {
  const { train, accumulate, update, average } = program.steps;
  const sums = slices > 1 && accumulate.length > 0;
  const steps = sums ? [...accumulate, ...update] : train;
  return bytesOf(program, [...steps, ...average], Math.ceil(batch / slices));
}
