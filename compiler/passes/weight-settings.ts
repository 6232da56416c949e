import type { TrainRecipe } from "../../program/recipe.js";
import type { Graph, Parameter } from "../ir/graph.js";

/** What a recipe says of single weights, by their names. */
export type WeightSettings = Pick<
  TrainRecipe,
  "freeze" | "freezeStatistics" | "learningRateFactors" | "noDecay"
>;

/**
 * The graph with a recipe's settings for single weights. Frozen ones get no gradient, and neither
 * do layers that only they need; factors of the learning rate come on top of the layers' own.
 * Training normalizes by frozen statistics (freeze-statistics.ts).
 */
export function applyWeightSettings(
  graph: Graph,
  { freeze = [], freezeStatistics = [], learningRateFactors = {}, noDecay = [] }: WeightSettings,
): Graph {
  const frozen = new Set(freeze);
  const spared = new Set(noDecay);
  const kept = new Set(freezeStatistics);
  const set = (parameter: Parameter): Parameter => {
    const { name } = parameter.value;
    const learningRateFactor = parameter.learningRateFactor * (learningRateFactors[name] ?? 1);
    return {
      ...parameter,
      isKept: kept.has(name) || undefined,
      learningRateFactor,
      decayFactor: spared.has(name) ? 0 : parameter.decayFactor,
      trainable: parameter.trainable && learningRateFactor > 0 && !frozen.has(name),
    };
  };
  return { ...graph, parameters: graph.parameters.map(set) };
}
