import type { NamedTensor } from "../layer-call.js";
import { permuted } from "./orders.js";
import type { KerasLayers, KerasWeight } from "./keras-writer.js";

const PARTS = [
  ["weight", "gamma"],
  ["bias", "beta"],
  ["running_mean", "moving_mean"],
  ["running_var", "moving_variance"],
] as const;

export function batchnorm(layers: KerasLayers): void {
  const { call } = layers;
  const affine = call.flag("affine");
  const { order } = layers.value();
  const config = {
    axis: -1,
    center: affine,
    scale: affine,
    epsilon: call.number("eps"),
    momentum: 1 - call.number("momentum"),
  };
  const weights = PARTS.slice(affine ? 0 : 2).map(([part, name]) => {
    const tensor = call.tensor(part);
    return weight(name, order ? permuted(tensor, 0, order) : tensor);
  });
  layers.end("BatchNormalization", config, [layers.input()], weights);
}

export function layernorm(layers: KerasLayers): void {
  const { call } = layers;
  const { channels } = call.image;
  const config = { axis: [-1], epsilon: call.number("eps"), center: true, scale: true };
  const weights = call.flag("affine")
    ? [weight("gamma", call.tensor("weight")), weight("beta", call.tensor("bias"))]
    : lineWeights(new Float32Array(channels).fill(1), new Float32Array(channels)).weights.slice(
        0,
        2,
      );
  layers.end("LayerNormalization", config, [layers.input()], weights);
}

/** A factor and an offset: batch normalization whose mean is 0 and whose variance is 1. */
export function scale(layers: KerasLayers): void {
  const { call } = layers;
  const factor = call.tensor("weight").values;
  const offset = call.flag("bias") ? call.tensor("bias").values : new Float32Array(factor.length);
  const { config, weights } = lineWeights(factor, offset);
  layers.end("BatchNormalization", config, [layers.input()], weights);
}

export function lineWeights(gamma: Float32Array, beta: Float32Array) {
  const shape = [gamma.length];
  const ones = new Float32Array(gamma.length).fill(1);
  const zeros = new Float32Array(gamma.length);
  const weights: readonly KerasWeight[] = [
    { name: "gamma", shape, values: gamma },
    { name: "beta", shape, values: beta },
    { name: "moving_mean", shape, values: zeros },
    { name: "moving_variance", shape, values: ones },
  ];
  return { config: { axis: -1, epsilon: 0, center: true, scale: true, momentum: 0.99 }, weights };
}

const weight = (name: string, { shape, values }: NamedTensor): KerasWeight => ({
  name,
  shape,
  values,
});
