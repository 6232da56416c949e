/** How long a run is, and whether what a recipe plans lies within it. */
import type { Span } from "../../../grammar/ast.js";
import type { Duration } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";

/** The recipe's length, or that of flags instead. */
export interface PlannedLength {
  /** Undefined where it cannot be read, or the run's length is given in steps. */
  readonly epochs: number | undefined;
  readonly steps?: number | undefined;
  /** Where it is not the recipe's: `--epochs 3`. */
  readonly flag?: string | undefined;
}

/** A part of a recipe that happens after a while. */
export interface Planned {
  /** `warmup`. */
  readonly name: string;
  readonly after: Duration;
  readonly span: Span;
}

/**
 * Whether something happens only when the run is over. Durations in the other unit are not known
 * to.
 */
export function isLate({ count, unit }: Duration, length: PlannedLength): boolean {
  const end = length[unit];
  return end !== undefined && count >= end;
}

export function warnOfLate(
  { name, after: { count, unit }, span }: Planned,
  length: PlannedLength,
  { reporter }: Environment,
): void {
  if (!isLate({ count, unit }, length)) return;
  const end = length[unit]!;
  reporter.report("NET3012", {
    message: `\`${name}\` acts after ${count} ${unit}, but the run has only ${end}`,
    span,
    label: count === end ? "the run is over then" : "later than the run's end",
    notes: length.flag === undefined ? [] : [`the run's length is that of \`${length.flag}\``],
  });
}
