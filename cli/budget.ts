/** Training within `--memory`: what is done about it, in words. */
import type { BudgetFit, FittedProgram } from "../compiler/budget.js";
import { wrongInput } from "./failure.js";
import { formatBytes } from "../program/format-bytes.js";
import { normalizesByBatch } from "../program/statistics.js";
import { plural } from "./format.js";

/**
 * Ends the command where a program cannot keep to the budget in training, with what it takes at
 * least and what takes that.
 */
export function requireFit(
  { excess }: Pick<FittedProgram, "excess">,
  budget: number | undefined,
): void {
  if (!excess || budget === undefined) return;
  const { least, weights, optimizer, values } = excess;
  throw wrongInput(
    `training takes at least ${formatBytes(least)}, and \`--memory\` allows ${formatBytes(budget)}`,
    "that is one image at a time, with all computed again that saves memory: " +
      `${formatBytes(weights)} of weights, ` +
      `${formatBytes(optimizer)} that the optimizer keeps of them, ` +
      `and ${formatBytes(values)} of values and gradients`,
  );
}

/** The same where no program can, whichever an adapter will run: then the one that takes least. */
export function requireSomeFit(
  { compiled }: { readonly compiled: readonly FittedProgram[] },
  budget: number | undefined,
): void {
  const excesses = compiled.map(({ excess }) => excess);
  if (!excesses.every((excess) => excess !== undefined)) return;
  const [excess] = excesses.sort((one, other) => one.least - other.least);
  requireFit({ excess }, budget);
}

/**
 * `netc splits the batch into 2 slices of up to 64; 5 values are computed twice (+3.1%
 * multiply-adds)`.
 */
export function describeFit({ batch, slices, repeated, work }: BudgetFit): string {
  const parts = [
    ...(slices > 1
      ? [`netc splits the batch into ${slices} slices of up to ${Math.ceil(batch / slices)}`]
      : []),
    ...(repeated.length > 0
      ? [
          `${plural(repeated.length, "value")} ${repeated.length === 1 ? "is" : "are"} ` +
            "computed again in the backward pass " +
            `(+${(100 * (work - 1)).toFixed(1)}% multiply-adds)`,
        ]
      : []),
  ];
  return parts.join("; ") || "as it is";
}

/**
 * Whether slices change what a network computes: batch normalization takes each one's statistics.
 */
export const normalizesSlices = ({ fit, program }: FittedProgram): boolean =>
  fit !== undefined && fit.slices > 1 && normalizesByBatch(program.parameters);
