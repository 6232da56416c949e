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
  const kept = network.layers.map((_, index) => needed.has(index));
  const left = network.layers.filter((_, index) => !needed.has(index));
  return { network: { ...withLayers(network, kept), losses: [], metrics: [] }, left };
}

/** The network without layers that pass on what they read. */
export function bypassing(
  network: ResolvedNetwork,
  isPassed: (layer: ResolvedLayer) => boolean,
): ResolvedNetwork {
  return withLayers(
    network,
    network.layers.map((layer) => !isPassed(layer)),
  );
}

/** Whoever reads a layer that is not kept reads what that layer reads. */
function withLayers(network: ResolvedNetwork, kept: readonly boolean[]): ResolvedNetwork {
  const values: NetworkValue[] = [];
  const layers: ResolvedLayer[] = [];
  const moved = (value: NetworkValue) => (value.from === "layer" ? values[value.index]! : value);
  network.layers.forEach((layer, index) => {
    const inputs = layer.inputs.map(moved);
    if (kept[index]) values.push({ from: "layer", index: layers.push({ ...layer, inputs }) - 1 });
    else values.push(inputs[0]!);
  });
  const outputs = network.outputs.map((output) => ({ ...output, value: moved(output.value) }));
  return { ...network, layers, outputs };
}
