import type { Setting } from "../../../grammar/ast.js";
import type { Duration, Unfreezing } from "../../../program/recipe.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Environment } from "../../calls/environment.js";
import { readCalls, type Resolved } from "./definition.js";
import { warnOfLate, type PlannedLength } from "./length.js";
import { namesIn, namesMatching, readPatterns, weightsOf, type WeightNames } from "./patterns.js";
import { stages, type Stage } from "./stages.js";

/** The settings that say which weights stay as they are, and for how long. */
interface FreezingSettings {
  readonly freeze: Setting | undefined;
  readonly unfreeze: Setting | undefined;
  readonly length: PlannedLength;
}

export interface Freezing {
  /** Names of the weights that stay as they are, at least at first. */
  readonly freeze?: readonly string[];
  /** When some of them begin to be trained. */
  readonly unfreeze?: readonly Unfreezing[];
}

/**
 * `freeze = [features.*]` and
 * `unfreeze = after(5 epochs, [features.conv5]) -> after(10 epochs, [features.*])`.
 */
export function readFreezing(
  { freeze, unfreeze, length }: FreezingSettings,
  model: AnalyzedModel,
  environment: Environment,
): Freezing {
  const patterns = freeze && readPatterns(freeze, environment);
  const calls = unfreeze && readCalls(unfreeze, stages, environment);
  if (unfreeze && !freeze) reportNothingFrozen(unfreeze, environment);
  if (!model.graph || !patterns) return {};
  const weights = weightsOf(model);
  const frozen = namesMatching(patterns, weights, environment);
  if (frozen.length === weights.names.length) reportAll(freeze, environment);
  if (!calls) return frozen.length > 0 ? { freeze: frozen } : {};
  calls.forEach((call, index) => checkOrder(call, calls[index - 1], environment));
  for (const { result, bound } of calls) {
    const span = bound.spans.get("after")!;
    warnOfLate({ name: "after", after: result.after, span }, length, environment);
  }
  return { freeze: frozen, unfreeze: resolveStages(calls, frozen, { weights, environment }) };
}

interface Names {
  readonly weights: WeightNames;
  readonly environment: Environment;
}

/**
 * `freeze_statistics = [kind(batchnorm)]`: the running statistics of these layers stay as they are,
 * and training normalizes by them, as PyTorch's layers do after `eval()`.
 */
export function readFrozenStatistics(
  setting: Setting | undefined,
  { graph, network, name }: AnalyzedModel,
  environment: Environment,
): readonly string[] | undefined {
  const patterns = setting && readPatterns(setting, environment);
  if (!patterns || !graph) return undefined;
  const statistics = graph.parameters.filter(({ role }) => role === "statistic");
  if (statistics.length === 0) {
    environment.reporter.report("NET3069", {
      message: `\`freeze_statistics\` has no effect: model \`${name}\` has no \`batchnorm\``,
      span: setting.name.span,
      notes: ["leave it out: other layers keep no statistics"],
    });
    return undefined;
  }
  const names = namesIn(
    statistics.map(({ value }) => value.name),
    network,
  );
  const chosen = namesMatching(patterns, { ...names, noun: "statistics" }, environment);
  return withWholeLayers(chosen, names.names, setting, environment);
}

/** Mean and variance of a layer stay together: a layer normalizes by both, or by the batch's. */
function withWholeLayers(
  chosen: readonly string[],
  all: readonly string[],
  setting: Setting,
  { reporter }: Environment,
): readonly string[] {
  const layerOf = (name: string) => name.split(".").slice(0, -1).join(".");
  const layers = new Set(chosen.map(layerOf));
  const whole = all.filter((name) => layers.has(layerOf(name)));
  const left = whole.find((name) => !chosen.includes(name));
  if (!left) return chosen;
  const layer = layerOf(left);
  const given = chosen.find((name) => layerOf(name) === layer)!;
  reporter.report("NET3069", {
    message: `\`freeze_statistics\` matches \`${given}\`, but not \`${left}\` of the same layer`,
    span: setting.value.span,
    label: "both stay as they are",
    notes: [`\`freeze_statistics = [${layer}]\` names both; \`kind(batchnorm)\` names all`],
  });
  return whole;
}

/** The weights that each stage unfreezes, in addition to earlier stages. */
function resolveStages(
  calls: readonly Resolved<Stage>[],
  frozen: readonly string[],
  { weights, environment }: Names,
): readonly Unfreezing[] {
  const left = new Set(frozen);
  return calls.map((call) => {
    const { after, patterns } = call.result;
    const matching = namesMatching(patterns, weights, environment);
    const freed = matching.filter((name) => left.has(name));
    for (const name of freed) left.delete(name);
    if (matching.length > 0 && freed.length === 0) reportFree(call, environment);
    return { after, names: freed };
  });
}

function checkOrder(
  { result: { after }, bound }: Resolved<Stage>,
  previous: Resolved<Stage> | undefined,
  { reporter }: Environment,
): void {
  const before = previous?.result.after;
  if (!before || before.unit !== after.unit || before.count < after.count) return;
  reporter.report("NET3055", {
    message:
      `this stage begins after ${describe(after)}, ` +
      `the one before it after ${describe(before)}`,
    span: bound.spans.get("after")!,
    notes: ["stages must be in the order in which they begin"],
  });
}

const describe = ({ count, unit }: Duration) => `${count} ${unit}`;

function reportFree({ result, bound }: Resolved<Stage>, { reporter }: Environment): void {
  const texts = result.patterns.map(({ text }) => `\`${text}\``).join(", ");
  reporter.report("NET3054", {
    message: `${texts} matches no frozen weights at that epoch`,
    span: bound.spans.get("weights")!,
    notes: ["`freeze` names the weights frozen at the start; a stage unfreezes some"],
  });
}

function reportNothingFrozen({ name }: Setting, { reporter }: Environment): void {
  reporter.report("NET3054", {
    message: "`unfreeze` has nothing to unfreeze: no weights are frozen",
    span: name.span,
    notes: ["`freeze = [features.*]` freezes weights at the start"],
  });
}

function reportAll({ value }: Setting, { reporter }: Environment): void {
  reporter.report("NET3023", {
    message: "`freeze` freezes all weights of the model: nothing is left to train",
    span: value.span,
  });
}
