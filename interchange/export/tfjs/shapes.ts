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
  if (isPlain || isOnlyForLinear(network, { from: "layer", index })) {
    layers.end("Flatten", {}, [layers.input()]);
    return isPlain ? undefined : layers.give([call.name, 0, 0], { channels, pixels });
  }
  const first = layers.part("channels_first", "Permute", { dims: FIRST }, [layers.input()]);
  layers.end("Flatten", {}, [first]);
}

/** Layers that treat every feature alike. */
const ALIKE = new Set([
  ...["relu", "leaky_relu", "relu6", "elu", "gelu", "silu", "mish", "hardswish", "softplus"],
  ...["sigmoid", "hardsigmoid", "tanh", "clip", "dropout", "identity", "flatten"],
]);

function isOnlyForLinear(network: ResolvedNetwork, value: NetworkValue): boolean {
  const is = ({ from, index }: NetworkValue) => from === value.from && index === value.index;
  if (network.outputs.some((output) => is(output.value))) return false;
  return network.layers.every(({ definition, inputs }, index) => {
    if (!inputs.some(is) || definition.name === "linear") return true;
    return ALIKE.has(definition.name) && isOnlyForLinear(network, { from: "layer", index });
  });
}

/** In the spec's order of elements: channels, rows, columns. */
export function reshape(layers: KerasLayers): void {
  const { call } = layers;
  const sizes = call.output.slice(1).map(Number);
  const input = channelsFirst(layers);
  const shaped = { target_shape: sizes };
  if (sizes.length === 1) return layers.end("Reshape", shaped, [input]);
  const image = layers.part("reshaped", "Reshape", shaped, [input]);
  layers.end("Permute", { dims: LAST }, [image]);
}

function channelsFirst(layers: KerasLayers): TensorRef {
  if (!layers.call.isImage) return layers.input();
  return layers.part("channels_first", "Permute", { dims: FIRST }, [layers.input()]);
}
