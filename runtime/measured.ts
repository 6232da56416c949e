/**
 * Whether the running statistics next to the mean of weights are those of the mean: only networks
 * whose program has `measured` load this file.
 */
import type { Program } from "../program/program.js";
import type { Metadata } from "./calls.js";
import { InputError } from "./errors.js";
import type { Loaded, Tensors } from "./loaded.js";

/**
 * In the metadata of a checkpoint: `false` where the running statistics next to averages are not
 * those of the averaged weights.
 */
export const MEASURED = "measured";

/** Intervals whose weights are in the mean after this many steps; none before the first ends. */
export function intervalsAt({ measured }: Pick<Program, "measured">, step: number): number {
  if (!measured) return 0;
  const { start, every } = measured;
  return Math.floor(Math.max(0, step - start) / every);
}

type Known = Pick<Loaded, "memory" | "program">;

/** How many training steps are done. */
interface At {
  readonly step: number;
}

/** Whether the statistics are those of the averages. */
function isMeasured({ memory, program }: Known, { step }: At): boolean {
  const intervals = intervalsAt(program, step);
  return intervals === 0 || intervals === memory.measured;
}

/** Throws InputError where averaged weights would be used with the statistics of other weights. */
export function assertMeasured(loaded: Known, at: At): void {
  if (isMeasured(loaded, at)) return;
  throw new InputError(
    "the averaged weights have no running statistics yet: the mean of `swa` has changed since " +
      "`batchnorm` was measured. Call `measureStatistics(network, data, recipe)` first, which " +
      "`fit` does before it evaluates and when it ends",
  );
}

/** What a checkpoint says of them. */
export const measuredEntry = (loaded: Known, at: At): [string, string] => [
  MEASURED,
  String(isMeasured(loaded, at)),
];

/** After a file was loaded: averages that it does not hold are its weights. */
export function noteLoaded(
  { memory, program }: Known,
  { step }: At,
  { averages, metadata }: { readonly averages: Tensors; readonly metadata: Metadata },
): void {
  const isKnown = averages.size === 0 || metadata[MEASURED] === "true";
  memory.measured = isKnown ? intervalsAt(program, step) : undefined;
}
