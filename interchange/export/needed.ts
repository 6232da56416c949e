import type {
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
} from "../../compiler/network/resolved.js";

export interface NeededNetwork {
  readonly network: ResolvedNetwork;
  /** Layers that only losses read, such as classifiers that help to train. */
  readonly left: readonly ResolvedLayer[];
}

/** The network with only what its predictions need, and without losses and metrics. */
export function neededFor(network: ResolvedNetwork): NeededNetwork {
  const needed = new Set<number>();
  const need = ({ from, index }: NetworkValue) => {
    if (from === "layer") needed.add(index);
  };
  for (const { value } of network.outputs) need(value);
  for (let index = network.layers.length - 1; index >= 0; index--) {
    if (needed.has(index)) network.layers[index]!.inputs.forEach(need);
  }
  const kept = network.layers.flatMap((_, index) => (needed.has(index) ? [index] : []));
  const places = new Map(kept.map((index, place) => [index, place]));
  const moved = (value: NetworkValue): NetworkValue =>
    value.from === "layer" ? { from: "layer", index: places.get(value.index)! } : value;
  const layers = kept.map((index) => {
    const layer = network.layers[index]!;
    return { ...layer, inputs: layer.inputs.map(moved) };
  });
  const outputs = network.outputs.map((output) => ({ ...output, value: moved(output.value) }));
  const left = network.layers.filter((_, index) => !needed.has(index));
  return { network: { ...network, layers, outputs, losses: [], metrics: [] }, left };
}
