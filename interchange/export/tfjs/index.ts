/** A network as a layers model of TensorFlow.js: `model.json` and its shards, channels last. */
import { withRows } from "../one-row.js";
import { nameOf } from "../model.js";
import type { Exported, ExportedFile, ExportModel } from "../model.js";
import { channelsLastNote, kerasLayers } from "../channels-last/model.js";
import type { KerasLayer, KerasWriter, TensorRef } from "../channels-last/keras-writer.js";
import { preparationText } from "../describe.js";
import type { Exporter, ExportRequest } from "../exporter.js";
import { basename, folderOf } from "../paths.js";
import { tfjsLayers } from "./layers.js";

export const tfjsExporter: Exporter = {
  name: "tfjs",
  title: "TensorFlow.js",
  extension: ".json",
  choices: [],
  keptForTraining: ["dropout", "stochastic_depth"],
  keepsOptimizer: false,
  holdsSequences: false,
  write,
};

/** As TensorFlow.js's own converter splits weights. */
const SHARD_BYTES = 4 * 1024 * 1024;

function write(given: ExportModel, { path, version }: ExportRequest): Exported {
  const model = withRows(given);
  const writer = kerasLayers(model, FORMAT);
  const layers = [...writer.layers.values()];
  const shards = shardsOf(layers, path);
  const manifest = {
    paths: shards.map((shard) => basename(shard.path)),
    weights: layers.flatMap(({ name, weights }) =>
      weights.map((weight) => {
        return { name: `${name}/${weight.name}`, shape: weight.shape, dtype: "float32" };
      }),
    ),
  };
  const { classNames, preparation } = model;
  const json = {
    format: "layers-model",
    generatedBy: `netc ${version}`,
    convertedBy: null,
    modelTopology: topologyOf(model, writer),
    weightsManifest: [manifest],
    userDefinedMetadata: {
      classes: classNames,
      preprocessing: preparation ? preparationText(preparation) : undefined,
    },
  };
  return {
    files: [...shards, { path, content: `${JSON.stringify(json)}\n` }],
    notes: [...channelsLastNote(model, FORMAT.title), ...writer.notes],
  };
}

const FORMAT = {
  title: "TensorFlow.js",
  mappings: tfjsLayers,
  input: (sizes: readonly (number | null)[]) => ({
    batch_input_shape: sizes,
    dtype: "float32",
    sparse: false,
  }),
};

function topologyOf({ network }: ExportModel, writer: KerasWriter) {
  const refOf = (name: string) => historyOf(writer.values.get(name)!.ref);
  return {
    class_name: "Model",
    config: {
      name: network.name,
      layers: [...writer.layers.values()].map(layerJson),
      input_layers: network.inputs.map(({ name }) => refOf(name)),
      output_layers: network.outputs.map(({ value }) => refOf(nameOf(network, value))),
    },
    keras_version: "tfjs-layers 4.22.0",
    backend: "tensor_flow.js",
  };
}

function layerJson({ className, name, config, uses }: KerasLayer) {
  return {
    class_name: className,
    config: { name, trainable: true, ...config },
    name,
    inbound_nodes: uses.map(({ inputs }) => inputs.map((ref) => [...historyOf(ref), {}])),
  };
}

/** The layer, the number of its use, and the number of the output. */
const historyOf = ({ layer, use }: TensorRef) => [layer, use, 0] as const;

function shardsOf(layers: readonly KerasLayer[], path: string): readonly ExportedFile[] {
  const values = layers.flatMap(({ weights }) => weights.map((weight) => weight.values));
  const whole = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of values) {
    whole.set(part, at);
    at += part.length;
  }
  const bytes = new Uint8Array(whole.buffer);
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  const file = basename(path).replace(/\.json$/, "");
  const start = file === "model" ? "group1" : file;
  return Array.from({ length: count }, (_, index) => ({
    path: `${folderOf(path)}${start}-shard${index + 1}of${count}.bin`,
    content: bytes.subarray(index * SHARD_BYTES, (index + 1) * SHARD_BYTES),
  }));
}
