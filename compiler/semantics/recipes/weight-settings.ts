/** The settings of a recipe that are about some of the weights. */
import type { Setting } from "../../../grammar/ast.js";
import type { OptimizerSettings } from "../../../program/program.js";
import type { TrainRecipe } from "../../../program/recipe.js";
import type { AnalyzedModel, ReadWeights, RecipeOverrides } from "../analysis.js";
import type { Environment } from "../../calls/environment.js";
import { readFreezing, readFrozenStatistics } from "./freeze.js";
import type { PlannedLength } from "./length.js";
import { readInitialWeights } from "./pretrained.js";
import { readTeacher } from "./teacher.js";
import { readNoDecay, readRateFactors } from "./rates.js";

/** Where a recipe is read, and how its host looks into weights files. */
export interface TrainEnvironment extends Environment {
  readonly readWeights?: ReadWeights | undefined;
  /** What flags say instead of this recipe. */
  readonly overrides?: RecipeOverrides | undefined;
  /** Names of the spec's other recipes, whose runs may leave what this one starts from. */
  readonly otherRecipes: readonly string[];
}

interface Parts {
  readonly settings: ReadonlyMap<string, Setting>;
  readonly model: AnalyzedModel;
  readonly length: PlannedLength;
  readonly optimizer: OptimizerSettings | undefined;
}

type WeightSettings = Pick<
  TrainRecipe,
  | "weights"
  | "teacher"
  | "freeze"
  | "freezeStatistics"
  | "unfreeze"
  | "learningRateFactors"
  | "noDecay"
>;

export function readWeightSettings(
  { settings, model, length, optimizer }: Parts,
  environment: TrainEnvironment,
): WeightSettings {
  const weights = readInitialWeights(settings.get("weights"), model, environment);
  const teacher = readTeacher(settings.get("teacher"), model, environment);
  const [freeze, unfreeze] = [settings.get("freeze"), settings.get("unfreeze")];
  const freezing = readFreezing({ freeze, unfreeze, length }, model, environment);
  const statistics = settings.get("freeze_statistics");
  const freezeStatistics = readFrozenStatistics(statistics, model, environment);
  const learningRateFactors = readRateFactors(settings.get("lr_factors"), model, environment);
  const noDecay = readNoDecay(settings.get("no_decay"), model, optimizer, environment);
  return {
    weights,
    teacher,
    ...freezing,
    freezeStatistics,
    learningRateFactors,
    noDecay: noDecay.length > 0 ? noDecay : undefined,
  };
}
