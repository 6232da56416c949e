/** What follows from a network's parts, for those who make one and those who read it. */
import type { TensorType } from "../ir/tensor-type.js";
import type { NetworkOutput, NetworkValue, ResolvedNetwork } from "./resolved.js";

/** The parts of a network that its values come from. */
export type ValueSources = Pick<ResolvedNetwork, "inputs" | "targets" | "layers">;

export function typeOf(
  { inputs, targets, layers }: ValueSources,
  { from, index }: NetworkValue,
): TensorType {
  const source = { input: inputs, target: targets, layer: layers }[from][index];
  if (!source) throw new Error(`the network has no ${from} ${index}`);
  return source.type;
}

export function sameValue(a: NetworkValue, b: NetworkValue): boolean {
  return a.from === b.from && a.index === b.index;
}

/**
 * What the network predicts: what its first loss is taken of, or else the last value of its text.
 * Scores of classes are taken of logits; only `softmax` gives probabilities.
 */
export function outputsOf(
  { inputs, layers, losses, metrics }: Omit<ResolvedNetwork, "outputs" | "name">,
  last: NetworkValue,
): readonly NetworkOutput[] {
  const value = losses[0]?.score.prediction ?? last;
  const layer = value.from === "layer" ? layers[value.index] : undefined;
  const scores = [...losses.map(({ score }) => score), ...metrics];
  const isLogits = scores.some(
    ({ definition, prediction }) => definition.against === "labels" && sameValue(prediction, value),
  );
  const other = isLogits ? "logits" : "values";
  const gives = layer?.definition.name === "softmax" ? "probabilities" : other;
  return [{ name: (layer ?? inputs[value.index]!).name, value, gives }];
}

/** How many classes the network tells apart; undefined for one that is not compared with labels. */
export function classesOf(network: ResolvedNetwork): number | undefined {
  const index = comparedTarget(network);
  const target = index === undefined ? undefined : network.targets[index];
  if (target?.type.dtype !== "u32") return undefined;
  return target.classes ?? Number(typeOf(network, network.outputs[0]!.value).shape[1]);
}

/** Index of the target that a score reads; undefined where all of them read inputs. */
export function comparedTarget({ losses, metrics }: ResolvedNetwork): number | undefined {
  const scores = [...losses.map(({ score }) => score), ...metrics];
  return scores.find(({ target }) => target.from === "target")?.target.index;
}

/** Names of the metrics that are shares of something, such as an accuracy. */
export function fractionsOf({ metrics }: ResolvedNetwork): readonly string[] {
  return metrics.filter(({ definition }) => definition.isFraction).map(({ name }) => name);
}
