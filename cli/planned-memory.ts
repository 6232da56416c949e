/** What a program allocates on a device, known before it runs. */
import { stepsFor, type Program, type ProgramStep } from "../program/program.js";
import { bufferBytes } from "../runtime/memory.js";
import { wrongInput } from "./failure.js";
import { formatBytes } from "./format.js";

/** Bytes of every buffer that the steps bind: nothing else is allocated for them but the runtime's own frame and staging. */
export function bytesOf(program: Program, steps: readonly ProgramStep[], batch: number): number {
  const used = new Set(steps.flatMap((step) => step.buffers));
  return [...used].reduce(
    (sum, index) => sum + bufferBytes(program.buffers[index]!.bytes, batch),
    0,
  );
}

/** Planned bytes of training a batch in so many slices. */
export function trainingBytes(
  program: Program,
  { batch, slices }: { readonly batch: number; readonly slices: number },
): number {
  const { train, accumulate, update, average } = program.steps;
  const sums = slices > 1 && accumulate.length > 0;
  const slice = Math.ceil(batch / slices);
  const steps = sums ? [...accumulate, ...update] : train;
  return bytesOf(program, [...stepsFor(steps, slice), ...average], slice);
}

/**
 * The fewest slices of a batch with which training stays within a budget. Throws a Failure with the numbers where not even slices of
 * one image do.
 */
export function slicesWithin(program: Program, batch: number, budget: number): number {
  for (let slices = 1; slices < batch; slices = nextSlices(batch, slices)) {
    if (trainingBytes(program, { batch, slices }) <= budget) return slices;
  }
  const least = trainingBytes(program, { batch, slices: batch });
  if (least <= budget) return batch;
  throw wrongInput(
    `training takes at least ${formatBytes(least)}, one image at a time, and \`--memory\` allows ${formatBytes(budget)}`,
  );
}

/** The next count of slices that makes them smaller. */
function nextSlices(batch: number, slices: number): number {
  const slice = Math.ceil(batch / slices);
  return Math.ceil(batch / (slice - 1));
}
