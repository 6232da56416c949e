/** A network as a layers model of TensorFlow.js: `model.json` and its shards, channels last. */
import { nameOf } from "../model.js";
import type { Exported, ExportedFile, ExportModel } from "../model.js";
import { preparationText } from "../describe.js";
import type { Exporter, ExportRequest } from "../exporter.js";
import { LayerCall } from "../layer-call.js";
import { basename, folderOf } from "../paths.js";
import { forEachLayer, RefusedExport } from "../refusal.js";
import { KerasLayers, KerasWriter, type KerasLayer, type TensorRef } from "./keras-writer.js";
import { tfjsLayers } from "./layers.js";

export const tfjsExporter: Exporter = {
  name: "tfjs",
  title: "TensorFlow.js",
  extension: ".json",
  choices: [],
  keepsDropout: true,
  write,
};

/** As TensorFlow.js's own converter splits weights. */
const SHARD_BYTES = 4 * 1024 * 1024;

function write(model: ExportModel, { path, version }: ExportRequest): Exported {
  const writer = kerasLayers(model);
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
  const images = model.network.inputs.filter(({ type }) => type.shape.length === 4);
  const order =
    images.length === 0
      ? []
      : [`images come with channels last, as in TensorFlow.js: [N, height, width, channels]`];
  return {
    files: [...shards, { path, content: `${JSON.stringify(json)}\n` }],
    notes: [...order, ...writer.notes],
  };
}

function kerasLayers(model: ExportModel): KerasWriter {
  const writer = new KerasWriter();
  for (const { name, type } of model.network.inputs) {
    const [channels, ...pixels] = type.shape.slice(1).map(Number) as [number, ...number[]];
    const config = {
      batch_input_shape: [null, ...pixels, channels],
      dtype: "float32",
      sparse: false,
    };
    writer.values.set(name, { ref: writer.layer("InputLayer", name, config, []) });
  }
  forEachLayer(model.network.layers, "TensorFlow.js", (layer) => {
    const call = new LayerCall(model, layer);
    // What reads a refused layer is not looked at: one message says it.
    if (call.inputs.some((input) => !writer.values.has(input))) return;
    const found = tfjsLayers[call.kind];
    if (!found) throw new RefusedExport("netc does not know how TensorFlow.js says it");
    found(new KerasLayers(call, writer));
  });
  return writer;
}

function topologyOf({ network }: ExportModel, writer: KerasWriter) {
  const refOf = (name: string): TensorRef => writer.values.get(name)!.ref;
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
    inbound_nodes: uses.map((inputs) => inputs.map((ref) => [...ref, {}])),
  };
}

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
