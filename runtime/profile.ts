/** How long each dispatch of a step list takes on the adapter at hand. */
import type { ProgramStep } from "../program/program.js";
import { inspecting, type Inspection } from "./inspection.js";
import type { InspectionExamples, Network } from "./network.js";
import type { Targets } from "./examples.js";
import type { StepListName } from "./schedule.js";

export interface ProfiledStep {
  readonly step: ProgramStep;
  /** The median of several runs. */
  readonly milliseconds: number;
}

export interface Profile {
  /** `timestamps`: by the device's own clock. `submits`: by what repeated submissions take, an empty one's taken off. */
  readonly method: "timestamps" | "submits";
  readonly steps: readonly ProfiledStep[];
  /** The whole list in one submission, from the submission to its end, as a step of training or a prediction has it. */
  readonly milliseconds: number;
}

export interface ProfileOptions {
  /** Runs of which the median counts; 5 unless given. */
  readonly rounds?: number;
  /** Seconds after which no more rounds start, once there were three; 10 unless given. */
  readonly seconds?: number;
  /** Milliseconds of another clock than the device's, such as the processor's time, where a software adapter is not alone on it. */
  readonly clock?: () => number;
}

/** What is timed of a list. */
type ListExamples = Pick<InspectionExamples, "images" | "targets">;

/** Short dispatches are repeated until they take this long: browsers round timestamps to 0.1 ms. */
const LEAST_STAMPED = 2;
/** The same where submissions are timed, whose end Node hears of a millisecond late. */
const LEAST_SUBMITTED = 25;
const MOST_REPEATS = 200;
const FEWEST_ROUNDS = 3;

/**
 * Profiles a step list on examples as `step`, `evaluate` and `predict` take them. Weights and the optimizer's state are
 * afterwards what they were. Rejects as those methods do.
 */
export function profileSteps<Target extends Targets>(
  network: Network<string, string, Target>,
  list: Exclude<StepListName, "initialize">,
  examples: ListExamples,
  options: ProfileOptions = {},
): Promise<Profile> {
  return inspectTimed(network, list, examples, async (inspection) => ({
    ...(await timeEach(inspection, options, () => true)),
    milliseconds: median(await repeat(options, () => time(inspection, {}, options))),
  }));
}

/** The same of some steps alone; the others run as often as these need them. */
export function timeSteps<Target extends Targets>(
  network: Network<string, string, Target>,
  list: Exclude<StepListName, "initialize">,
  examples: ListExamples,
  options: ProfileOptions & { readonly only: (step: ProgramStep) => boolean },
): Promise<readonly ProfiledStep[]> {
  return inspectTimed(network, list, examples, async (inspection) => {
    const { steps } = await timeEach(inspection, options, options.only);
    return steps.filter(({ step }) => options.only(step));
  });
}

function inspectTimed<Target extends Targets, Result>(
  network: Network<string, string, Target>,
  list: Exclude<StepListName, "initialize">,
  examples: ListExamples,
  visit: (inspection: Inspection) => Promise<Result>,
): Promise<Result> {
  // Repeated updates would carry the weights away, and with them the values that kernels work on.
  const optimizer = { learningRate: 0, weightDecay: 0 };
  return network.inspect(list, { ...examples, optimizer }, inspecting(visit));
}

async function timeEach(
  inspection: Inspection,
  options: ProfileOptions,
  isTimed: (step: ProgramStep) => boolean,
): Promise<Pick<Profile, "method" | "steps">> {
  await time(inspection, {}, options); // compiles: drivers put that off to the first dispatch
  const stamps = inspection.hasTimestamps && !options.clock;
  const milliseconds = stamps
    ? await stampSteps(inspection, options, isTimed)
    : await timeSubmits(inspection, options, isTimed);
  return {
    method: stamps ? "timestamps" : "submits",
    steps: inspection.steps.map((step, index) => ({ step, milliseconds: milliseconds[index]! })),
  };
}

/** Milliseconds from submitting steps, all unless given, each so many times, until they are done, what the submission takes included. */
async function time(
  inspection: Inspection,
  { first, end, repeats }: { first?: number; end?: number; repeats?: number },
  { clock = () => performance.now() }: ProfileOptions,
): Promise<number> {
  const start = clock();
  inspection.run(first, end, repeats);
  await inspection.finished();
  return clock() - start;
}

async function stampSteps(
  inspection: Inspection,
  options: ProfileOptions,
  isTimed: (step: ProgramStep) => boolean,
): Promise<number[]> {
  const { steps } = inspection;
  const once = steps.map(() => 1);
  const first = await inspection.stamp(once);
  const repeats = first.map((milliseconds, index) =>
    isTimed(steps[index]!) ? repeatsFor(milliseconds, LEAST_STAMPED) : 1,
  );
  const rounds = await repeat(options, () => inspection.stamp(repeats));
  return once.map((_, index) => median(rounds.map((round) => round[index]! / repeats[index]!)));
}

/** Step by step in the list's order, so that each finds in memory what it is to read. */
async function timeSubmits(
  inspection: Inspection,
  options: ProfileOptions,
  isTimed: (step: ProgramStep) => boolean,
): Promise<number[]> {
  const submitted = (first: number, end: number, repeats = 1) =>
    time(inspection, { first, end, repeats }, options);
  const empty = median(await repeat(options, () => submitted(0, 0)));
  const { steps } = inspection;
  const own = { ...options, seconds: (options.seconds ?? DEFAULT_SECONDS) / steps.length };
  const result: number[] = [];
  for (const [index, step] of steps.entries()) {
    const once = (await submitted(index, index + 1)) - empty;
    if (!isTimed(step)) {
      result.push(0);
      continue;
    }
    const repeats = repeatsFor(once, LEAST_SUBMITTED);
    const rounds = await repeat(own, () => submitted(index, index + 1, repeats));
    result.push(Math.max(0, median(rounds) - empty) / repeats);
  }
  return result;
}

const repeatsFor = (milliseconds: number, least: number) =>
  Math.min(MOST_REPEATS, Math.max(1, Math.ceil(least / Math.max(milliseconds, 1e-3))));

const DEFAULT_SECONDS = 10;

async function repeat<Result>(
  { rounds = 5, seconds = DEFAULT_SECONDS }: ProfileOptions,
  action: () => Promise<Result>,
): Promise<Result[]> {
  const start = performance.now();
  const results: Result[] = [];
  const isLate = () => performance.now() - start > 1000 * seconds;
  while (results.length < rounds && (results.length < FEWEST_ROUNDS || !isLate())) {
    results.push(await action());
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
