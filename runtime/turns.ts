/** A training step in turns: only networks whose recipe has a `step` load this file. */
import type { OptimizerSettings, Program } from "../program/program.js";
import { rateFactor } from "../program/turns.js";
import { InputError } from "./errors.js";
import type { Measurement, readMeasurement } from "./measurement.js";
import type { ListRun } from "./slices.js";

/** A run of a turn's list, with what its frame has of the turn. */
interface TurnRun extends ListRun {
  readonly optimizer: OptimizerSettings;
}

/** The runs of all turns, one turn after the other, by those of the first. */
export function inTurns(
  runs: readonly ListRun[],
  program: Pick<Program, "optimizer" | "turns">,
  optimizer?: OptimizerSettings,
): readonly ListRun[] {
  const later = (program.turns ?? []).flatMap((_, index) => {
    const own = optimizerOfTurn(program, index + 1, optimizer);
    return runs.map((run): TurnRun => {
      return { ...run, list: `${run.list}${index + 1}` as ListRun["list"], optimizer: own };
    });
  });
  return [...runs, ...later];
}

/**
 * The settings of a later turn, 1 or more, in a call whose first turn has `given`: learning rates
 * keep the ratio that they have in the recipe. Other numbers that are not the recipe's are those of
 * all turns.
 */
export function optimizerOfTurn(
  { optimizer: first, turns }: Pick<Program, "optimizer" | "turns">,
  turn: number,
  given: OptimizerSettings = first,
): OptimizerSettings {
  const own = turns![turn - 1]!;
  const before = Object.entries(first);
  const replaced = Object.entries(given).filter(
    ([name, value]) => before.find(([each]) => each === name)?.[1] !== value,
  );
  const learningRate = own.learningRate * ratioOf(given.learningRate, first.learningRate);
  return { ...own, ...Object.fromEntries(replaced), learningRate };
}

/** By how much a call changes the learning rates of all turns. */
function ratioOf(given: number, first: number): number {
  const factor = rateFactor(given, first);
  if (factor !== undefined) return factor;
  throw new InputError(
    `the rates of later steps follow that of the first, which is 0 in the recipe: no ratio leads ` +
      `to ${given}. Give the first step a rate above 0`,
  );
}

/** Loss and metrics of a step, of which each turn left its own. */
export function measureTurns(
  { sums }: Pick<Program, "sums">,
  results: readonly { readonly values: readonly Float32Array[] }[],
  parts: { readonly images: number; readonly totals: readonly number[] },
  /** Given, because an import would split the file that a page loads first. */
  read: typeof readMeasurement,
): Measurement {
  const measured = results.map(({ values: [values] }, turn) =>
    read(turn === 0 ? sums.train : sums[`train${turn}`]!, values!, parts),
  );
  return {
    examples: parts.images,
    notFinite: Math.max(...measured.map(({ notFinite }) => notFinite)),
    sums: measured.flatMap((each) => each.sums),
  };
}
