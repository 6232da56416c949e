/** A network as Keras 3 saves models: a zip file of JSON and HDF5, channels last. */
import { withRows } from "../one-row.js";
import { channelsLastNote, kerasLayers } from "../channels-last/model.js";
import type { KerasLayer } from "../channels-last/keras-writer.js";
import { preparationText } from "../describe.js";
import type { Exporter, ExportRequest } from "../exporter.js";
import { nameOf, type Exported, type ExportModel } from "../model.js";
import { snakeCase } from "../../keras/group-names.js";
import { storedZip } from "../zip.js";
import { isFunction, modelConfig } from "./config.js";
import { hdf5File, type Hdf5Array, type Hdf5Group } from "./hdf5.js";
import { kerasMappings } from "./layers.js";
import { inKerasOrder } from "./order.js";

export const kerasExporter: Exporter = {
  name: "keras",
  title: "Keras",
  extension: ".keras",
  choices: [],
  keptForTraining: ["dropout", "stochastic_depth"],
  keepsOptimizer: false,
  holdsSequences: false,
  write,
};

const FORMAT = {
  title: "Keras",
  mappings: kerasMappings,
  input: (sizes: readonly (number | null)[]) => ({ batch_shape: sizes, sparse: false }),
};

/** The version whose form the files have. */
const KERAS_VERSION = "3.3.3";

function write(given: ExportModel, { path, version }: ExportRequest): Exported {
  const model = withRows(given);
  const { network, classNames, preparation } = model;
  const writer = kerasLayers(model, FORMAT);
  const refOf = (name: string) => writer.values.get(name)!.ref;
  const outputs = network.outputs.map(({ value }) => refOf(nameOf(network, value)));
  const layers = inKerasOrder(writer.layers, outputs);
  const inputs = network.inputs.map(({ name }) => refOf(name));
  const config = modelConfig({ name: network.name, layers, inputs, outputs });
  const metadata = {
    keras_version: KERAS_VERSION,
    generated_by: `netc ${version}`,
    classes: classNames,
    preprocessing: preparation ? preparationText(preparation) : undefined,
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const content = storedZip(
    [
      { name: "metadata.json", bytes: json(metadata) },
      { name: "config.json", bytes: json(config) },
      { name: "model.weights.h5", bytes: hdf5File(weightsOf(layers)) },
    ],
    "a Keras file",
  );
  return {
    files: [{ path, content }],
    notes: [...channelsLastNote(model, FORMAT.title), ...writer.notes],
  };
}

/** Groups of layers are called after their class and their number among its layers. */
function weightsOf(layers: readonly KerasLayer[]): Hdf5Group {
  const counts = new Map<string, number>();
  const groups = layers
    .filter((layer) => !isFunction(layer))
    .map(({ className, weights }): [string, Hdf5Group] => {
      const name = snakeCase(className);
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      const vars = weights.map((weight, index): [string, Hdf5Array] => [String(index), weight]);
      return [count === 0 ? name : `${name}_${count}`, new Map([["vars", new Map(vars)]])];
    });
  return new Map([
    ["layers", new Map(groups)],
    ["vars", new Map()],
  ]);
}
