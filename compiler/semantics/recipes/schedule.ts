import type { Setting } from "../../../grammar/ast.js";
import type { Duration, Schedule, Warmup } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { readCalls, type Resolved } from "./definition.js";
import { isLate, warnOfLate, type PlannedLength } from "./length.js";
import { schedules, type ScheduleStage } from "./schedules.js";

export interface ScheduleRecipe {
  readonly schedule: Schedule;
  readonly warmup?: Warmup;
}

type Stage = Resolved<ScheduleStage>;

/** `warmup(5 epochs) -> step(...)`: an optional warmup, then at most one schedule. */
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
  const [main, ...superfluous] = warmup ? stages.slice(1) : stages;
  if (superfluous.length > 0) return reportOrder(superfluous[0]!, environment);
  if (main?.result.kind === "warmup") return reportOrder(main, environment);
  const schedule = main?.result ?? { kind: "constant" };
  if (!warmup) return { schedule };
  return { schedule, warmup: { duration: warmup.duration, from: warmup.from } };
}

function reportOrder({ call }: Stage, { reporter }: Environment): undefined {
  return reporter.report("NET3015", {
    message:
      `\`${call.callee.name}\` is not allowed here: ` +
      `a recipe has one schedule, after an optional \`warmup\``,
    span: call.span,
    notes: ["for instance `warmup(5 epochs) -> cosine(to=0)`"],
  });
}

function warnOfLength(stage: Stage, length: PlannedLength, environment: Environment): void {
  const after = durationsOf(stage.result).find((duration) => isLate(duration, length));
  if (!after) return;
  const { name } = stage.call.callee;
  const argument = ["duration", "every", "at"].find((each) => stage.bound.spans.has(each));
  const span = stage.bound.spans.get(argument ?? "") ?? stage.call.span;
  warnOfLate({ name, after, span }, length, environment);
}

/** The points of a stage that must lie within the run. */
function durationsOf(stage: ScheduleStage): readonly Duration[] {
  if (stage.kind === "warmup") return [stage.duration];
  if (stage.kind === "step") return [stage.every];
  return stage.kind === "multistep" ? stage.at : [];
}
