/** Signals as other formats get them: as images of one row. */
import { argumentNamed, type ArgumentType } from "../../compiler/calls/signature.js";
import { build } from "../../compiler/network/build.js";
import { typeOf } from "../../compiler/network/facts.js";
import type {
  NetworkPort,
  ResolvedLayer,
  ResolvedNetwork,
} from "../../compiler/network/resolved.js";
import { type ChosenAxis, nameOfAxis } from "../../compiler/layers/chosen-axes.js";
import { sizeOfRow } from "../../compiler/layers/padded-axes.js";
import type { Padding } from "../../compiler/ir/graph.js";
import { asImage, isSignal, type Shape } from "../../compiler/ir/shape.js";
import type { TensorType } from "../../compiler/ir/tensor-type.js";
import type { ExportModel, ExportTensor } from "./model.js";

/**
 * The model with every signal `[N, C, L]` as an image `[N, C, 1, L]`, and with kernels
 * `[out, in, 1, k]`; the numbers are in the same order. A model without signals stays as it is.
 */
export function withRows(model: ExportModel): ExportModel {
  const { network, tensors } = model;
  const ports = [...network.inputs, ...network.targets, ...network.layers];
  if (!ports.some(({ type }) => isSignal(type.shape))) return model;
  const parameters = build(network).parameters;
  const shapes = new Map(
    parameters.map(({ value }) => [value.name, value.shape.map(Number)] as const),
  );
  return {
    ...model,
    network: {
      ...network,
      inputs: network.inputs.map(portWithRow),
      targets: network.targets.map(portWithRow),
      layers: network.layers.map((layer) => layerWithRow(layer, network)),
    },
    tensors: shaped(tensors, shapes),
    optimizer: model.optimizer && {
      ...model.optimizer,
      states: new Map(
        [...model.optimizer.states].map(([state, each]) => [state, shaped(each, shapes)]),
      ),
    },
  };
}

const typeWithRow = (type: TensorType): TensorType => ({ ...type, shape: asImage(type.shape) });

const portWithRow = (port: NetworkPort): NetworkPort => ({ ...port, type: typeWithRow(port.type) });

/** What is along the length of a signal is along the columns of an image. */
function layerWithRow(layer: ResolvedLayer, network: ResolvedNetwork): ResolvedLayer {
  const read = layer.inputs[0] && typeOf(network, layer.inputs[0]).shape;
  const values = Object.entries(layer.values).map(([name, value]) => {
    const declared = argumentNamed(layer.definition, name);
    if (!declared || !namesAxes(declared.type)) return [name, value] as const;
    const named = (axis: unknown) => axisWithRow(axis as ChosenAxis, read);
    return [name, Array.isArray(value) ? value.map(named) : named(value)] as const;
  });
  const withRow: Record<string, unknown> = Object.fromEntries(values);
  const isPadded = layer.definition.name === "pad" && withRow["axis"] !== undefined;
  if (isPadded && read && isSignal(read)) withRow["size"] = sizeOfRow(withRow["size"] as Padding);
  return { ...layer, type: typeWithRow(layer.type), values: withRow };
}

/** Whether an argument chooses axes, of which a signal's length may be one. */
const namesAxes = ({ accepts }: ArgumentType<unknown>): boolean =>
  accepts.kind === "word" && accepts.words.includes("length");

/** By number, it is an axis of the signal that the layer reads. */
function axisWithRow(axis: ChosenAxis | undefined, read: Shape | undefined): unknown {
  const name =
    typeof axis === "number" && read && isSignal(read) ? nameOfAxis(axis, read) : undefined;
  const chosen = name ?? axis;
  return chosen === "length" ? "columns" : chosen;
}

const shaped = (
  tensors: ReadonlyMap<string, ExportTensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, ExportTensor> =>
  new Map(
    [...tensors].map(([name, tensor]) => {
      return [name, { ...tensor, shape: shapes.get(name) ?? tensor.shape }] as const;
    }),
  );
