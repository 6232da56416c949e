/** Step lists for tools, which run them one dispatch at a time: loaded with the first of them. */
import type { OptimizerSettings, Program } from "../program/program.js";
import type { InspectableRun, InspectionParts } from "./inspection.js";
import type { Runner, Work } from "./runner.js";
import type { StepListName } from "./schedule.js";
import type { ListRun } from "./slices.js";
import type * as slices from "./slices.js";
import type { Data, FrameParts, Stepping } from "./stepping.js";

/** What is inspected: a call's runs, or where there are none one run of the list. */
interface Inspected {
  readonly list: StepListName;
  readonly parts: FrameParts;
  readonly data: Data;
  readonly runs: readonly ListRun[] | undefined;
}

/** Runs that are to be begun, each with its part of the examples. */
export async function beginning(
  stepping: Stepping,
  { list, parts, data, runs }: Inspected,
  /** Given, because an import would split the file that a page loads first. */
  partOfRun: typeof slices.partOfRun,
): Promise<readonly InspectableRun[]> {
  const { loaded, slice } = stepping.phases;
  const { count } = parts;
  const optimizer = await turnOf(loaded.program, list, parts.optimizer);
  const only = { list, slice: { first: 0, count }, optimizer };
  const whole = { first: 0, count: Math.min(count, slice) };
  const chosen = runs ?? [only];
  await stepping.fold(chosen[0]!.list, stepping.frame(whole, parts));
  return chosen.map((run) => {
    const frame = stepping.frame(run.slice, { ...parts, ...run });
    const work = { ...partOfRun(data, run, count), frame, collects: false };
    return { ...run, begin: () => begin(loaded.runner, run.list, work) };
  });
}

/** The optimizer of a list, which may be of a later turn. */
async function turnOf(
  program: Program,
  list: string,
  given: OptimizerSettings | undefined,
): Promise<OptimizerSettings | undefined> {
  const turn = /\d+$/.exec(list)?.[0];
  if (turn === undefined) return given;
  return (await import("./turns.js")).optimizerOfTurn(program, Number(turn), given);
}

/** Makes a step list ready to be run, on examples that it uploads. */
async function begin(runner: Runner, list: StepListName, work: Work): Promise<InspectionParts> {
  const { gpu, program, memory } = runner;
  const { schedule, scratch } = await runner.prepare(list);
  const preparation = work.split && (await runner.preparation(work.split));
  runner.upload(list, work);
  const encoder = gpu.createCommandEncoder({ label: list });
  // Numbers that an earlier run left must not pass for what the list computes.
  for (const buffer of scratch) {
    encoder.clearBuffer(buffer);
    runner.users.set(buffer, list);
  }
  preparation?.encode(encoder, work.frame.batch);
  gpu.queue.submit([encoder.finish()]);
  return { gpu, program, memory, schedule, batch: work.frame.batch };
}
