/** Trained numbers that layers read by name: the text declares them next to the inputs. */
import type {
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
} from "../../compiler/network/resolved.js";

export interface Lifted {
  /** The network with its parameters as further inputs. */
  readonly network: ResolvedNetwork;
  /** Which of the given network's layers these are. */
  readonly parameters: readonly number[];
  /** Of each layer that is left, the given one. */
  readonly kept: readonly number[];
}

/** @param names of the parameters, which become those of the inputs */
export function liftedParameters(
  network: ResolvedNetwork,
  names: (layer: number) => string,
): Lifted {
  const isParameter = ({ definition }: ResolvedLayer) => definition.readsNothing === true;
  const all = network.layers.map((_, index) => index);
  const parameters = all.filter((index) => isParameter(network.layers[index]!));
  const kept = all.filter((index) => !isParameter(network.layers[index]!));
  const count = network.inputs.length;
  const places = new Map<number, NetworkValue>([
    ...parameters.map((old, at): [number, NetworkValue] => [
      old,
      { from: "input", index: count + at },
    ]),
    ...kept.map((old, index): [number, NetworkValue] => [old, { from: "layer", index }]),
  ]);
  const moved = (value: NetworkValue): NetworkValue =>
    value.from === "layer" ? places.get(value.index)! : value;
  const ports = parameters.map((index) => {
    const { type, origin } = network.layers[index]!;
    return { name: names(index), type, origin };
  });
  const layers = kept.map((index) => {
    const layer = network.layers[index]!;
    return { ...layer, inputs: layer.inputs.map(moved) };
  });
  const outputs = network.outputs.map((output) => ({ ...output, value: moved(output.value) }));
  const inputs = [...network.inputs, ...ports];
  return { network: { ...network, inputs, layers, outputs }, parameters, kept };
}

/** Names that differ from each other and from all that are taken. */
export function uniqueNames(wanted: readonly string[], taken: ReadonlySet<string>) {
  const used = new Set(taken);
  return wanted.map((name) => {
    let own = name;
    for (let count = 2; used.has(own); count++) own = `${name}_${count}`;
    used.add(own);
    return own;
  });
}
