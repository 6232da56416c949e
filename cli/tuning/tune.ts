/** Tuning: every round runs a network with another candidate of every problem. */
import { compile, type TunedAdapter } from "../../compiler/index.js";
import { compiledProgramOf, type CompiledSpec, type SelectOptions } from "../compiled.js";
import { openNetwork } from "../open-network.js";
import {
  candidatesOf,
  measureRound,
  roundOf,
  type Measured,
  type TunedCandidates,
} from "../../workbench/tune/measure.js";

export interface TuneSettings extends SelectOptions {
  readonly batch: number;
  readonly adapter: string;
  /** Candidates of each problem. */
  readonly count: number;
  /** Another clock than the device's. */
  readonly clock?: (() => number) | undefined;
  readonly onRound?: (round: number, rounds: number) => void;
  /** Called with candidates whose results were wrong. */
  readonly onWrong?: (problem: TunedCandidates, candidate: number) => void;
}

export interface TunedProblemResult extends TunedCandidates {
  /** In the order of `schedules`; undefined where results were wrong. */
  readonly measured: readonly (Measured | undefined)[];
}

export interface TuneResult {
  readonly adapter: TunedAdapter["adapter"];
  readonly target: TunedAdapter["target"];
  readonly problems: readonly TunedProblemResult[];
}

/** `compiled` without tuned choices. */
export async function tune(compiled: CompiledSpec, settings: TuneSettings): Promise<TuneResult> {
  const { batch, count } = settings;
  const first = await openNetwork(compiled, { batch, adapter: settings.adapter });
  const { target } = first.program;
  const { name, vendor, architecture } = first.adapter;
  const written = compiledProgramOf(compiled, first);
  first.destroy();
  const problems = candidatesOf(written, target, { batch, count });
  const rounds = Math.max(0, ...problems.map(({ schedules }) => schedules.length));
  const adapter = { name, vendor, architecture };
  const known = new Set<string>();
  const results = problems.map((problem) => ({
    ...problem,
    measured: problem.schedules.map((): Measured | undefined => undefined),
  }));
  for (const [index, round] of thereAndBack(rounds).entries()) {
    settings.onRound?.(index + 1, 2 * rounds);
    const tuned = { adapter, target, schedules: roundOf(problems, round) };
    const having = problems.filter(({ schedules }) => schedules[round]);
    const wanted = new Set(having.map(({ key }) => key));
    const { times, wrong } = await runRound(compiled, tuned, settings, { known, wanted });
    for (const result of results) {
      const schedule = result.schedules[round];
      if (!schedule) continue;
      result.measured[round] = faster(result.measured[round], schedule, times.get(result.key));
      if (wrong.includes(result.key)) settings.onWrong?.(result, round);
    }
  }
  return { adapter, target, problems: results };
}

/**
 * Each round twice, in an order that is fair to all if the machine slows down or speeds up
 * meanwhile.
 */
function thereAndBack(rounds: number): readonly number[] {
  const there = Array.from({ length: rounds }, (_, round) => round);
  return [...there, ...there.toReversed()];
}

function faster(
  before: Measured | undefined,
  schedule: Measured["schedule"],
  milliseconds: number | undefined,
): Measured | undefined {
  if (milliseconds === undefined) return undefined;
  return { schedule, milliseconds: Math.min(milliseconds, before?.milliseconds ?? Infinity) };
}

async function runRound(
  { spec }: CompiledSpec,
  tuned: TunedAdapter,
  { model, train, batch, adapter, clock }: TuneSettings,
  { known, wanted }: { readonly known: Set<string>; readonly wanted: ReadonlySet<string> },
): ReturnType<typeof measureRound> {
  const { createNetwork } = await import("../../runtime/index.js");
  const { compiled: programs } = compile(spec.text, {
    file: spec.path,
    model,
    train,
    target: "tuned",
    tuned: [tuned],
    readImport: spec.readImport,
  });
  // Kernels of 16 bits, if there are any, come first; they take the schedules of those of 32.
  const written = programs.at(-1)!;
  const network = await createNetwork([written.program], { batch, adapter });
  try {
    return await measureRound(network, written, wanted, { known, clock });
  } finally {
    network.destroy();
  }
}
