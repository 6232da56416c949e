import type { NetworkValue, ResolvedNetwork } from "../../../compiler/network/resolved.js";
import type { KerasLayers, TensorRef } from "./keras-writer.js";

/** To channels, rows, columns, and back. */
const FIRST = [3, 1, 2];
const LAST = [2, 3, 1];

/** Flat in Keras's order where only `linear` reads it, whose weights are permuted instead. */
export function flatten(layers: KerasLayers): void {
  const { call } = layers;
  if (!call.isImage) return layers.give(layers.input(), layers.value().order);
  const { channels, height, width } = call.image;
  const pixels = height * width;
  const { network } = call.model;
  const index = network.layers.indexOf(call.layer);
  const isPlain = pixels === 1 || channels === 1;
  if (!isPlain && !isOnlyForLinear(network, { from: "layer", index })) {
    return layers.end("Flatten", { inputs: [channelsFirst(layers)] });
  }
  layers.end("Flatten", { inputs: [layers.input()] });
  const { ref } = layers.writer.values.get(call.name)!;
  if (!isPlain) layers.give(ref, { channels, pixels });
}

/** Layers that treat every feature alike. */
const ALIKE = new Set([
  ...["relu", "leaky_relu", "relu6", "elu", "gelu", "silu", "mish", "hardswish", "softplus"],
  ...["sigmoid", "hardsigmoid", "tanh", "clip", "dropout", "stochastic_depth"],
  ...["identity", "stop", "flatten"],
]);

function isOnlyForLinear(network: ResolvedNetwork, value: NetworkValue): boolean {
  const is = ({ from, index }: NetworkValue) => from === value.from && index === value.index;
  if (network.outputs.some((output) => is(output.value))) return false;
  return network.layers.every(({ definition, inputs, weights }, index) => {
    if (!inputs.some(is)) return true;
    if (definition.name === "linear") return isUsedOnce(network, weights);
    return ALIKE.has(definition.name) && isOnlyForLinear(network, { from: "layer", index });
  });
}

/** Another use of the same weights may read features in the spec's order. */
const isUsedOnce = ({ layers }: ResolvedNetwork, weights: string) =>
  layers.filter((layer) => layer.weights === weights).length === 1;

/** In the spec's order of elements: channels, rows, columns. */
export function reshape(layers: KerasLayers): void {
  const sizes = layers.call.output.slice(1).map(Number);
  const input = channelsFirst(layers);
  const config = { target_shape: sizes };
  if (sizes.length === 1) return layers.end("Reshape", { config, inputs: [input] });
  const image = layers.part("reshaped", "Reshape", sizes, { config, inputs: [input] });
  layers.end("Permute", { config: { dims: LAST }, inputs: [image] });
}

function channelsFirst(layers: KerasLayers): TensorRef {
  const input = layers.input();
  if (!layers.call.isImage) return input;
  const [height, width, channels] = input.shape as [number, number, number];
  return layers.part("channels_first", "Permute", [channels, height, width], {
    config: { dims: FIRST },
    inputs: [input],
  });
}
