/** How long each dispatch of a step list takes on the adapter in use. */
import type { ProgramStep } from "../program/program.js";
import { inspecting, inspectingRuns, type InspectedRun, type Inspection } from "./inspection.js";
import type { CallExamples, InspectionExamples } from "./calls.js";
import type { Network } from "./network.js";
import type { Targets } from "./examples.js";
import type { StepListName } from "./schedule.js";
import type { Call } from "./slices.js";

/** A dispatch of a profile. */
export interface ProfiledStep {
  readonly step: ProgramStep;
  /** The list that the step belongs to: of a training step in slices, `accumulate` or `update`. */
  readonly list: StepListName;
  /** How often a call runs it: once a slice, or once. */
  readonly times: number;
  /** Of all these times together, by the median of several runs. */
  readonly milliseconds: number;
}

/** The result of `profileSteps`: times of all kernels, in milliseconds. */
export interface Profile {
  /**
   * `timestamps`: by the device's own clock. `submits`: by what repeated submissions take, an empty
   * one's subtracted.
   */
  readonly method: "timestamps" | "submits";
  readonly steps: readonly ProfiledStep[];
  /**
   * The whole call, from its first submission to the end of its last, as a step of training or a
   * prediction has it.
   */
  readonly milliseconds: number;
  /** Submissions that a call takes: one, or in slices one each and one for the update. */
  readonly submissions: number;
}

/** Options of `profileSteps`. */
export interface ProfileOptions {
  /** Runs of which the median counts; 5 unless given. */
  readonly rounds?: number;
  /**
   * Seconds after which no more rounds start, once there were three; 10 unless given. If given,
   * short dispatches are repeated less often to keep to it, which costs precision.
   */
  readonly seconds?: number;
  /**
   * Milliseconds of another clock than the device's, such as the processor's time, where a software
   * adapter is not alone on it.
   */
  readonly clock?: () => number;
}

/** What a call is timed on. */
type ProfiledExamples = Pick<CallExamples, "images" | "targets" | "accumulate">;

type ListExamples = Pick<InspectionExamples, "images" | "targets">;

/** Short dispatches are repeated until they take this long: browsers round timestamps to 0.1 ms. */
const LEAST_STAMPED = 2;
/** The same where submissions are timed, whose end Node notices a millisecond late. */
const LEAST_SUBMITTED = 25;
/** The same where there is no time for that. */
const ROUGHLY_SUBMITTED = 2;
const MOST_REPEATS = 200;
const FEWEST_ROUNDS = 3;

/**
 * Profiles the kernels of a call on examples as `step`, `evaluate` and `predict` take them, in as
 * many slices as those take. Slices of the same size are timed once. Weights and the optimizer's
 * state are afterwards what they were. Rejects as those methods do.
 */
export function profileSteps<Target extends Targets>(
  network: Network<string, string, Target>,
  call: Call,
  examples: ProfiledExamples,
  options: ProfileOptions = {},
): Promise<Profile> {
  const visit = async (runs: readonly InspectedRun[]): Promise<Profile> => {
    const profiles: Profile[] = [];
    for (const alike of groupAlike(runs)) profiles.push(await profileRun(alike, options));
    return sumOf(profiles);
  };
  return network.inspectCall(call, { ...examples, optimizer: NO_UPDATE }, inspectingRuns(visit));
}

/** Runs of the same list with as many images. */
function groupAlike(runs: readonly InspectedRun[]): InspectedRun[][] {
  const groups = new Map<string, InspectedRun[]>();
  for (const run of runs) {
    const key = `${run.list} ${run.slice.count}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

/** One of runs that are alike, counted as all of them. */
async function profileRun(alike: InspectedRun[], options: ProfileOptions): Promise<Profile> {
  const [{ list, begin }] = alike as [InspectedRun];
  const times = alike.length;
  const inspection = await begin();
  const { method, steps } = await timeEach(inspection, options, () => true);
  const whole = median(await repeat(options, () => time(inspection, {}, options)));
  return {
    method,
    steps: steps.map(({ step, milliseconds }) => ({
      step,
      list,
      times,
      milliseconds: times * milliseconds,
    })),
    milliseconds: times * whole,
    submissions: times,
  };
}

function sumOf(profiles: readonly Profile[]): Profile {
  const steps = new Map<ProgramStep, ProfiledStep>();
  for (const each of profiles.flatMap((profile) => profile.steps)) {
    const { times = 0, milliseconds = 0 } = steps.get(each.step) ?? {};
    steps.set(each.step, {
      ...each,
      times: each.times + times,
      milliseconds: each.milliseconds + milliseconds,
    });
  }
  const sum = (of: "milliseconds" | "submissions") =>
    profiles.reduce((total, profile) => total + profile[of], 0);
  return {
    method: profiles[0]!.method,
    steps: [...steps.values()],
    milliseconds: sum("milliseconds"),
    submissions: sum("submissions"),
  };
}

/**
 * Times some steps of one list alone, on images of one slice; the others run as often as these need
 * them.
 */
export function timeSteps<Target extends Targets>(
  network: Network<string, string, Target>,
  list: Exclude<StepListName, "initialize">,
  examples: ListExamples,
  options: ProfileOptions & { readonly only: (step: ProgramStep) => boolean },
): Promise<readonly TimedStep[]> {
  const visit = async (inspection: Inspection) => {
    const { steps } = await timeEach(inspection, options, options.only);
    return steps.filter(({ step }) => options.only(step));
  };
  return network.inspect(list, { ...examples, optimizer: NO_UPDATE }, inspecting(visit));
}

/** Repeated updates would carry the weights away, and with them the values that kernels work on. */
const NO_UPDATE = { learningRate: 0, weightDecay: 0 };

/** A dispatch with its time in milliseconds. */
export type TimedStep = Pick<ProfiledStep, "step" | "milliseconds">;

interface TimedSteps {
  readonly method: Profile["method"];
  readonly steps: readonly TimedStep[];
}

async function timeEach(
  inspection: Inspection,
  options: ProfileOptions,
  isTimed: (step: ProgramStep) => boolean,
): Promise<TimedSteps> {
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

/**
 * Milliseconds from submitting steps, all unless given, each this many times, until they are done,
 * what the submission takes included.
 */
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
  const start = performance.now();
  const first = await inspection.stamp(once);
  // A stamp leaves out what the pass around its dispatch takes, which repeating repeats.
  const passes = (performance.now() - start) / steps.length;
  const share = shareOf(options, steps.length);
  const repeats = first.map((milliseconds, index) => {
    const affordable = share / Math.max(milliseconds, passes);
    const wanted = repeatsFor(milliseconds, LEAST_STAMPED);
    return isTimed(steps[index]!) ? Math.max(1, Math.floor(Math.min(wanted, affordable))) : 1;
  });
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
  const share = shareOf(options, steps.length);
  const least = Math.min(LEAST_SUBMITTED, Math.max(ROUGHLY_SUBMITTED, share));
  const result: number[] = [];
  for (const [index, step] of steps.entries()) {
    const once = (await submitted(index, index + 1)) - empty;
    if (!isTimed(step)) {
      result.push(0);
      continue;
    }
    const repeats = repeatsFor(once, least);
    const rounds = await repeat(own, () => submitted(index, index + 1, repeats));
    result.push(Math.max(0, median(rounds) - empty) / repeats);
  }
  return result;
}

/** Milliseconds of a round that each step may take, to keep to seconds that are given. */
function shareOf({ seconds = Infinity, rounds = DEFAULT_ROUNDS }: ProfileOptions, steps: number) {
  return (1000 * seconds) / (steps * rounds);
}

const repeatsFor = (milliseconds: number, least: number) =>
  Math.min(MOST_REPEATS, Math.max(1, Math.ceil(least / Math.max(milliseconds, 1e-3))));

const DEFAULT_SECONDS = 10;
const DEFAULT_ROUNDS = 5;

async function repeat<Result>(
  { rounds = DEFAULT_ROUNDS, seconds = DEFAULT_SECONDS }: ProfileOptions,
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
