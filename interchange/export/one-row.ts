/** Signals as other formats get them: as images of one row. */
import { build } from "../../compiler/network/build.js";
import type { NetworkPort, ResolvedLayer } from "../../compiler/network/resolved.js";
import { nameOfAxis } from "../../compiler/layers/chosen-axes.js";
import { asImage, isSignal } from "../../compiler/ir/shape.js";
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
      layers: network.layers.map(layerWithRow),
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
function layerWithRow(layer: ResolvedLayer): ResolvedLayer {
  const { shape } = layer.type;
  const values = Object.entries(layer.values).map(([name, value]) => {
    // A reduction of a signal makes a signal: by number, its axes are those of its output.
    const isOver = name === "over" && isSignal(shape);
    const named = (axis: unknown) =>
      axisWithRow(isOver && typeof axis === "number" ? nameOfAxis(axis, shape) : axis);
    const axes = Array.isArray(value) ? (value as readonly unknown[]).map(named) : value;
    return [name, axisWithRow(axes)] as const;
  });
  return { ...layer, type: typeWithRow(layer.type), values: Object.fromEntries(values) };
}

const axisWithRow = (value: unknown): unknown => (value === "length" ? "columns" : value);

const shaped = (
  tensors: ReadonlyMap<string, ExportTensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, ExportTensor> =>
  new Map(
    [...tensors].map(([name, tensor]) => {
      return [name, { ...tensor, shape: shapes.get(name) ?? tensor.shape }] as const;
    }),
  );
