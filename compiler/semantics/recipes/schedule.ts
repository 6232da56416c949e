import type { Setting } from "../../../grammar/ast.js";
import type { Duration, Schedule, TimedSchedule, Warmup } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { readCalls, type Resolved } from "./definition.js";
import { isLate, warnOfLate, type PlannedLength } from "./length.js";
import { schedules, type ScheduledPart, type ScheduleStage } from "./schedules.js";

export interface ScheduleRecipe {
  readonly schedule: Schedule;
  readonly warmup?: Warmup;
}

type Stage = Resolved<ScheduleStage>;
type Part = Resolved<ScheduledPart>;

/**
 * `warmup(5 epochs) -> constant(until=20 epochs) -> cosine`: an optional warmup, then a schedule,
 * or several of which all but the last say where they end.
 */
export function readSchedule(
  setting: Setting,
  length: PlannedLength,
  environment: Environment,
): ScheduleRecipe | undefined {
  const stages = readCalls(setting, schedules, environment);
  if (!stages) return undefined;
  for (const stage of stages) warnOfLength(stage, length, environment);
  const [first] = stages;
  const warmup = first?.result.kind === "warmup" ? first.result : undefined;
  const parts = partsOf(warmup ? stages.slice(1) : stages, environment);
  const schedule = parts && sequenceOf(parts, warmup?.duration, environment);
  if (!schedule || !warmup) return schedule && { schedule };
  return { schedule, warmup: { duration: warmup.duration, from: warmup.from } };
}

function partsOf(stages: readonly Stage[], environment: Environment): readonly Part[] | undefined {
  const late = stages.find(({ result }) => result.kind === "warmup");
  if (!late) return stages as readonly Part[];
  return report(late, "only the first schedule can be `warmup`", environment);
}

function sequenceOf(
  parts: readonly Part[],
  warmup: Duration | undefined,
  environment: Environment,
): Schedule | undefined {
  const problem = firstProblem(parts, warmup);
  if (problem) return report(problem.part, problem.message, environment);
  const last = parts.at(-1)?.result.schedule ?? { kind: "constant" };
  if (parts.length <= 1) return last;
  return {
    kind: "sequence",
    parts: parts.slice(0, -1).map(({ result }) => ({
      schedule: result.schedule as TimedSchedule,
      until: result.until!,
    })),
    last: last as TimedSchedule,
  };
}

interface Problem {
  readonly part: Part;
  readonly message: string;
}

/** What is wrong with a sequence of schedules. */
function firstProblem(parts: readonly Part[], warmup: Duration | undefined): Problem | undefined {
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const message = problemOf(part, { warmup, before: parts[index - 1], isLast });
    if (message !== undefined) return { part, message };
  }
  return undefined;
}

interface Neighbors {
  readonly warmup: Duration | undefined;
  readonly before: Part | undefined;
  readonly isLast: boolean;
}

function problemOf(
  { call, result: { schedule, until } }: Part,
  { warmup, before, isLast }: Neighbors,
): string | undefined {
  const { name } = call.callee;
  if (isLast && until) return `\`${name}\` is the last schedule and lasts to the end of the run`;
  if (schedule.kind === "reduce_on_plateau" && (before || !isLast)) {
    return `\`${name}\` follows the evaluations of a whole run, so it must be the only schedule`;
  }
  if (isLast) return undefined;
  if (!until) return `another schedule follows \`${name}\`, which does not say \`until\` when`;
  const begins = before?.result.until ?? warmup;
  if (begins && begins.unit !== until.unit) {
    return `\`${name}\` ends after ${until.unit} and begins after ${begins.unit}: use one unit`;
  }
  return begins && begins.count >= until.count ? `\`${name}\` ends before it begins` : undefined;
}

function report({ call }: Stage, message: string, { reporter }: Environment): undefined {
  return reporter.report("NET3015", {
    message,
    span: call.span,
    notes: [
      "for instance `warmup(5 epochs) -> cosine(to=0)`, " +
        "or `constant(until=10 epochs) -> cosine(to=0)`",
    ],
  });
}

function warnOfLength(stage: Stage, length: PlannedLength, environment: Environment): void {
  const after = durationsOf(stage.result).find((duration) => isLate(duration, length));
  if (!after) return;
  const { name } = stage.call.callee;
  const argument = ["duration", "every", "at", "first", "until"].find((each) =>
    stage.bound.spans.has(each),
  );
  const span = stage.bound.spans.get(argument ?? "") ?? stage.call.span;
  warnOfLate({ name, after, span }, length, environment);
}

/** The points of a stage that must lie within the run. */
function durationsOf(stage: ScheduleStage): readonly Duration[] {
  if (stage.kind === "warmup") return [stage.duration];
  const { schedule, until } = stage;
  return [...pointsOf(schedule), ...(until ? [until] : [])];
}

function pointsOf(schedule: ScheduledPart["schedule"]): readonly Duration[] {
  switch (schedule.kind) {
    case "step":
      return [schedule.every];
    case "multistep":
      return schedule.at;
    case "cosine_restarts":
      return [schedule.first];
    default:
      return [];
  }
}
