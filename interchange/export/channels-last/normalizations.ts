import type { ExportTensor } from "../model.js";
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
  const config = {
    axis: -1,
    center: affine,
    scale: affine,
    epsilon: call.number("eps"),
    momentum: 1 - call.number("momentum"),
  };
  const parts = PARTS.slice(affine ? 0 : 2);
  const weights = parts.map(([part, name]) => namedWeight(name, call.tensor(part)));
  layers.end("BatchNormalization", { config, inputs: [layers.input()], weights });
}

export const namedWeight = (name: string, { shape, values }: ExportTensor): KerasWeight => ({
  name,
  shape,
  values,
});
