import type { DataDeclaration, Setting, TrainDeclaration } from "../../../grammar/ast.js";
import { isLayerwise } from "../../../program/optimizers.js";
import type { Clipping, OptimizerSettings } from "../../../program/program.js";
import type { DataRecipe, TrainRecipe, TrainStep } from "../../../program/recipe.js";
import { rateFactor } from "../../../program/turns.js";
import { isOfSection } from "../../ir/section.js";
import type { AnalyzedModel, RecipeOverrides } from "../analysis.js";
import { checkStops } from "../stops.js";
import type { ArgumentType } from "../../calls/signature.js";
import type { Environment } from "../../calls/environment.js";
import { checkTensors, feedsTensors } from "./check-tensors.js";
import { analyzeData } from "./data.js";
import { readCall, type Resolved } from "./definition.js";
import type { PlannedLength } from "./length.js";
import { optimizers } from "./optimizers.js";
import { readRunSettings } from "./run-settings.js";
import { readSchedule } from "./schedule.js";
import { count, limitType, readSetting, readSettings, seedType } from "./settings.js";
import { checkBesideSteps, readSteps } from "./steps.js";
import { readWeightSettings, type TrainEnvironment } from "./weight-settings.js";

const DEFAULT_SEED = 0;

/**
 * Checks a train declaration for a model with its parameters bound; undefined if something is wrong
 * with it.
 */
export function analyzeTrain(
  declaration: TrainDeclaration,
  model: AnalyzedModel,
  dataDeclaration: DataDeclaration | undefined,
  environment: TrainEnvironment,
): TrainRecipe | undefined {
  const { reporter } = environment;
  const errorsBefore = reporter.errorCount;
  checkLoss(declaration, model, environment);
  const settings = readSettings(declaration, environment);
  const read = <Value>(name: string, type: ArgumentType<Value>) =>
    readSetting(settings.get(name), type, environment);
  const { overrides = {} } = environment;
  const [declaredEpochs, declaredBatch] = [read("epochs", count), read("batch", count)];
  const epochs = declaredEpochs && (overrides.epochs ?? declaredEpochs);
  const batch = declaredBatch && (overrides.batch ?? declaredBatch);
  const length = plannedLength(epochs, overrides);
  const seed = settings.has("seed") ? read("seed", seedType) : DEFAULT_SEED;
  const declaredRule = readOptimizer(settings.get("optimizer"), environment);
  const shared = withRate(declaredRule, overrides);
  const clip = readClipping(settings, environment);
  const schedule = readScheduleSetting(settings.get("schedule"), length, environment);
  const data = dataDeclaration && readData(declaration, dataDeclaration, model, environment);
  const optimizerOf = (own: ReadonlyMap<string, Setting>) => {
    const rule = readOptimizer(own.get("optimizer"), environment) ?? declaredRule;
    const limits = readClipping(own, environment) ?? clip;
    return rule && limits ? { ...rule, clip: limits } : rule;
  };
  const parts = { settings, model, length, batch, optimizer: shared, schedule: schedule?.schedule };
  const weightSettings = readWeightSettings(parts, environment);
  const declared = { declaration, model, optimizerOf, frozen: new Set(weightSettings.freeze) };
  const steps = atRate(readSteps(declared, environment), declaration, environment);
  if (steps) checkBesideSteps(settings, environment);
  const rule = steps?.[0]?.optimizer ?? shared;
  checkStops(
    model,
    { freeze: untrainedBy(weightSettings, model), span: declaration.model.span },
    environment,
  );
  const run = { ...parts, data: dataDeclaration, kept: weightSettings };
  const runSettings = readRunSettings(run, environment);
  if (reporter.errorCount > errorsBefore) return undefined;
  if (!epochs || !batch || seed === undefined || !rule || !schedule) return undefined;
  const optimizer = clip && !steps ? { ...rule, clip } : rule;
  return {
    name: declaration.name.name,
    model: model.name,
    data,
    ...weightSettings,
    epochs,
    batch,
    seed,
    optimizer,
    steps,
    ...schedule,
    ...runSettings,
    location: locationOf(declaration),
  };
}

function locationOf({ name }: TrainDeclaration): TrainRecipe["location"] {
  const { line, column } = name.span.start;
  return { line, column };
}

/** Weights that the recipe itself says are not trained, at least at first. */
function untrainedBy(
  { freeze = [], teacher }: Pick<TrainRecipe, "freeze" | "teacher">,
  { graph }: AnalyzedModel,
): readonly string[] {
  const names = graph?.parameters.map(({ value }) => value.name) ?? [];
  return [...freeze, ...names.filter((name) => teacher && isOfSection(name, teacher.section))];
}

function plannedLength(epochs: number | undefined, overrides: RecipeOverrides): PlannedLength {
  const { steps } = overrides;
  if (steps !== undefined) return { epochs: undefined, steps, flag: `--steps ${steps}` };
  const flag = overrides.epochs === undefined ? undefined : `--epochs ${overrides.epochs}`;
  return { epochs, flag };
}

function withRate(
  rule: OptimizerSettings | undefined,
  { learningRate }: RecipeOverrides,
): OptimizerSettings | undefined {
  return rule && learningRate !== undefined ? { ...rule, learningRate } : rule;
}

/** The rate is that of the first step; those of the others keep their ratios to it. */
function atRate(
  steps: readonly TrainStep[] | undefined,
  { name: { span } }: TrainDeclaration,
  { reporter, overrides: { learningRate } = {} }: TrainEnvironment,
): readonly TrainStep[] | undefined {
  const [first] = steps ?? [];
  if (learningRate === undefined || !steps || !first) return steps;
  const factor = rateFactor(learningRate, first.optimizer.learningRate);
  if (factor === undefined) {
    return reporter.report("NET3081", {
      message: `the rate of step \`${first.name}\` is 0, and no ratio leads to ${learningRate}`,
      span,
      notes: ["the rates of later steps follow that of the first: give it a rate above 0"],
    });
  }
  return steps.map((step) => {
    const { optimizer } = step;
    const scaled = step === first ? learningRate : factor * optimizer.learningRate;
    return { ...step, optimizer: { ...optimizer, learningRate: scaled } };
  });
}

function checkLoss(
  { name, model: call }: TrainDeclaration,
  model: AnalyzedModel,
  { reporter }: Environment,
): void {
  if (model.hasLoss) return;
  reporter.report("NET3009", {
    message: `train \`${name.name}\` cannot train model \`${model.name}\`, which has no loss`,
    span: call.span,
    notes: ["add a loss to the model: `loss cross_entropy(logits, label)`"],
  });
}

function readData(
  train: TrainDeclaration,
  data: DataDeclaration,
  model: AnalyzedModel,
  environment: Environment,
): DataRecipe | undefined {
  const { reporter } = environment;
  if (data.model && data.model.name !== model.name) {
    reporter.report("NET3016", {
      message:
        `data \`${data.name.name}\` is for model \`${data.model.name}\`, ` +
        `but train \`${train.name.name}\` trains \`${model.name}\``,
      span: train.data!.span,
      related: [{ span: data.model.span, message: `is for \`${data.model.name}\`` }],
    });
  }
  if (!data.splits.some(({ name }) => name.name === "train")) {
    reporter.report("NET3014", {
      message: `data \`${data.name.name}\` has no \`train\` split to train on`,
      span: train.data!.span,
      related: [{ span: data.name.span, message: "has no `train` split" }],
    });
  }
  const { span } = train.data!;
  if (!data.model && !checkTensors(model, data, span, environment)) return undefined;
  if (!feedsTensors(model, data)) return undefined;
  return analyzeData(data, model, environment);
}

function readScheduleSetting(
  setting: Setting | undefined,
  length: PlannedLength,
  environment: Environment,
) {
  return setting
    ? readSchedule(setting, length, environment)
    : { schedule: { kind: "constant" } as const };
}

/** Gradient clipping, if the recipe has any. */
function readClipping(
  settings: ReadonlyMap<string, Setting>,
  environment: Environment,
): Clipping | undefined {
  const norm = readSetting(settings.get("clip_norm"), limitType, environment);
  const value = readSetting(settings.get("clip_value"), limitType, environment);
  if (norm === undefined && value === undefined) return undefined;
  return { norm, value };
}

/** LARS and LAMB scale the steps of parameters that decay, and those alone. */
function warnOfOneRate(
  { call, result: { kind } }: Resolved<OptimizerSettings>,
  { reporter }: Environment,
): void {
  const plain = kind === "lars" ? "sgd" : "adam";
  reporter.report("NET3071", {
    message: `\`${kind}\` without weight decay is \`${plain}\`: no step is scaled by a norm`,
    span: call.span,
    notes: [
      "as in timm, only parameters with weight decay have a separate rate",
      `give it one, for instance \`weight_decay=${kind === "lars" ? "1e-4" : "0.01"}\``,
    ],
  });
}

function readOptimizer(
  setting: Setting | undefined,
  environment: Environment,
): OptimizerSettings | undefined {
  const resolved = setting && readCall(setting, optimizers, environment);
  if (!resolved) return undefined;
  const { result } = resolved;
  if (isLayerwise(result.kind) && result.weightDecay === 0) warnOfOneRate(resolved, environment);
  if (!("nesterov" in result) || !result.nesterov || result.momentum > 0) return result;
  return environment.reporter.report("NET3019", {
    message: "`nesterov` looks ahead along the momentum, but momentum is 0",
    span: resolved.bound.spans.get("nesterov")!,
    notes: ["give it one, for instance `momentum=0.9`"],
  });
}
