import type { KerasConfig, KerasLayers, KerasWeight } from "../channels-last/keras-writer.js";
import { namedWeight } from "../channels-last/normalizations.js";

export function layernorm(layers: KerasLayers): void {
  const { call } = layers;
  const { channels } = call.image;
  const config = { axis: [-1], epsilon: call.number("eps"), center: true, scale: true };
  const weights = call.flag("affine")
    ? [namedWeight("gamma", call.tensor("weight")), namedWeight("beta", call.tensor("bias"))]
    : lineOf(filled(channels, 1), filled(channels, 0)).weights.slice(0, 2);
  layers.end("LayerNormalization", { config, inputs: [layers.input()], weights });
}

/** A factor and an offset: batch normalization whose mean is 0 and whose variance is 1. */
export function scale(layers: KerasLayers): void {
  const { call } = layers;
  const factor = call.tensor("weight").values;
  const offset = call.flag("bias") ? call.tensor("bias").values : filled(factor.length, 0);
  layers.end("BatchNormalization", { ...lineOf(factor, offset), inputs: [layers.input()] });
}

export const filled = (length: number, value: number) => new Float32Array(length).fill(value);

/** Settings and weights of a batch normalization that gives `gamma * x + beta`. */
export function lineOf(
  gamma: Float32Array,
  beta: Float32Array,
): { readonly config: KerasConfig; readonly weights: readonly KerasWeight[] } {
  const shape = [gamma.length];
  return {
    config: { axis: -1, epsilon: 0, center: true, scale: true, momentum: 0.99 },
    weights: [
      { name: "gamma", shape, values: gamma },
      { name: "beta", shape, values: beta },
      { name: "moving_mean", shape, values: filled(gamma.length, 0) },
      { name: "moving_variance", shape, values: filled(gamma.length, 1) },
    ],
  };
}
