/** All dispatches of a program: those of its step graphs, and those around them. */
import type { MixedPrecision, WeightAverage } from "../../program/recipe.js";
import { once } from "../ir/once.js";
import { LOSS_SCALE_KEY, type KeptParameter } from "../plan/persistent.js";
import type { PlannedList, ProgramPlan } from "../plan/program.js";
import { averageParameter, initializeParameter } from "./ends.js";
import { lowerPlan, type LoweredList } from "./index.js";
import { initializeLossScale } from "./loss-scale.js";
import { lowerPreparations, type PreparationDrafts } from "./prepare.js";
import type { StepDraft } from "./step-draft.js";

export interface LoweringOptions {
  readonly precision?: MixedPrecision;
  readonly average?: WeightAverage;
}

export type LoweredLists = { readonly [List in PlannedList]?: LoweredList } & {
  readonly predict: LoweredList;
};

export interface LoweredProgram {
  readonly lists: LoweredLists;
  readonly initialize: readonly StepDraft[];
  readonly average: readonly StepDraft[];
  /** What evaluation and prediction read in place of parameters. */
  readonly fold: readonly StepDraft[];
  readonly preparations: PreparationDrafts;
}

export function lowerProgram(plan: ProgramPlan, options: LoweringOptions): LoweredProgram {
  const lists = Object.fromEntries(
    Object.entries(plan.lists).map(([name, list]) => [name, lowerPlan(list!)]),
  ) as LoweredLists;
  const { precision, average } = options;
  return {
    lists,
    ...once(plan.persistent, [precision, average], () => stepsOfParameters(plan, options)),
    fold: foldSteps([...(lists.evaluate ? [lists.evaluate] : []), lists.predict]),
    preparations: lowerPreparations(plan.preparations),
  };
}

/** Adapters do not differ in them. */
function stepsOfParameters(plan: ProgramPlan, options: LoweringOptions) {
  const { parameters } = plan.persistent;
  return {
    initialize: [
      ...initialLossScale(plan, options),
      ...parameters.flatMap((parameter, index) => initializeParameter(parameter, index + 1)),
    ],
    average: parameters.flatMap((parameter) => averageSteps(plan, parameter, options)),
  };
}

function initialLossScale(
  { persistent, forward: { inputs } }: ProgramPlan,
  { precision }: LoweringOptions,
): readonly StepDraft[] {
  const lossScale = persistent.ports.get(LOSS_SCALE_KEY);
  if (!lossScale) return [];
  const kept = precision?.lossScale;
  const initial = kept?.kind === "dynamic" ? kept.initial : (kept?.scale ?? 1);
  return [initializeLossScale(lossScale, { initial }, inputs[0]!.value.origin)];
}

function averageSteps(
  { persistent: { ports } }: ProgramPlan,
  parameter: KeptParameter,
  { average }: LoweringOptions,
): readonly StepDraft[] {
  const { average: averages } = parameter;
  if (!averages || !average) return [];
  const lossScale = ports.get(LOSS_SCALE_KEY);
  return averageParameter(parameter, { averages, lossScale, average });
}

/** Both lists read the same results. */
function foldSteps(lists: readonly LoweredList[]): readonly StepDraft[] {
  const byResult = new Map<number, readonly StepDraft[]>();
  for (const { plan, nodes } of lists) {
    for (const { node, steps } of nodes) {
      const { id } = node.outputs[0]!;
      if (plan.folded.has(node) && !byResult.has(id)) byResult.set(id, steps);
    }
  }
  return [...byResult.values()].flat();
}
