/** A training step in turns: only networks whose recipe has a `step` load this file. */
import type { OptimizerSettings, Program } from "../program/program.js";
import type { Measurement, readMeasurement } from "./measurement.js";
import type { ListRun } from "./slices.js";

/** A run of a turn's list, with what its frame has of the turn. */
interface TurnRun extends ListRun {
  readonly optimizer: OptimizerSettings;
}

/**
 * The runs of all turns, one turn after the other, by those of the first. The learning rates of all
 * follow that of the first.
 */
export function inTurns(
  runs: readonly ListRun[],
  { optimizer: first, turns = [] }: Pick<Program, "optimizer" | "turns">,
  optimizer: OptimizerSettings = first,
): readonly ListRun[] {
  const factor = optimizer.learningRate / first.learningRate;
  const later = turns.flatMap((own, index) =>
    runs.map((run): TurnRun => {
      const scaled = { ...own, learningRate: factor * own.learningRate };
      return { ...run, list: `${run.list}${index + 1}` as ListRun["list"], optimizer: scaled };
    }),
  );
  return [...runs, ...later];
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
