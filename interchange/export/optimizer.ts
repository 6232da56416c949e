/** What an optimizer keeps in addition to the weights, for formats that have a place for it. */
import { applyWeightSettings } from "../../compiler/passes/weight-settings.js";
import { build } from "../../compiler/network/build.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { inLossScale } from "../../program/loss-scale.js";
import { stateNames, type OptimizerSettings } from "../../program/optimizers.js";
import type { TrainRecipe } from "../../program/recipe.js";
import type { ExportTensor } from "./model.js";

type Metadata = Readonly<Record<string, string>>;

export interface ExportOptimizer {
  readonly settings: OptimizerSettings;
  /** Steps of this optimizer that have changed the weights. */
  readonly steps: number;
  /** Weights that training changes, by their learning rate and weight decay. */
  readonly groups: readonly OptimizerGroup[];
  /** By the name of the state, then of the weight. */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, ExportTensor>>;
}

export interface OptimizerGroup {
  /** At the start of the schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly names: readonly string[];
}

export interface CheckpointFacts {
  readonly network: ResolvedNetwork;
  readonly recipe: TrainRecipe;
  /** Of the file; `optimizer.STATE.NAME` is a state. */
  readonly tensors: ReadonlyMap<string, ExportTensor>;
  readonly metadata: Metadata;
  /** `optimizer.velocity.` of `velocity`. */
  readonly prefixOf: (state: string) => string;
}

/** Undefined where the file has no states of this recipe's optimizer. */
export function optimizerOf(facts: CheckpointFacts): ExportOptimizer | undefined {
  const { network, recipe, tensors, metadata, prefixOf } = facts;
  const { optimizer: settings } = recipe;
  const parameters = applyWeightSettings(build(network), recipe).parameters;
  const names = stateNames(settings);
  const kept = parameters.filter(({ value }) =>
    names.every((state) => tensors.has(prefixOf(state) + value.name)),
  );
  if (kept.length === 0) return undefined;
  const groups = new Map<string, OptimizerGroup & { readonly names: string[] }>();
  for (const { value, learningRateFactor, decayFactor } of kept) {
    const learningRate = settings.learningRate * learningRateFactor;
    const weightDecay = settings.weightDecay * decayFactor;
    const key = `${learningRate} ${weightDecay}`;
    const group = groups.get(key) ?? { learningRate, weightDecay, names: [] };
    groups.set(key, group);
    group.names.push(value.name);
  }
  const statesOf = (state: string) =>
    new Map(kept.map(({ value }) => [value.name, tensors.get(prefixOf(state) + value.name)!]));
  return {
    settings,
    steps: stepsIn(metadata),
    groups: [...groups.values()],
    states: new Map(names.map((state) => [state, statesOf(state)])),
  };
}

/**
 * Steps since the optimizer began, which it does again in each stage of `unfreeze`. In 16 bits,
 * those whose gradients are not finite change nothing, and the device counts the others.
 */
function stepsIn({ step = "0", since = "0", loss_scale: scale }: Metadata): number {
  const updates = scale?.split(" ").map(Number)[inLossScale("updates")];
  return updates ?? Number(step) - Number(since);
}
