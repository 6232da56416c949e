/** Layers of a whole network. */
import { isWide } from "../../../compiler/ir/shape.js";
import { LayerCall } from "../layer-call.js";
import type { ExportModel } from "../model.js";
import { forEachLayer, RefusedExport } from "../refusal.js";
import {
  channelsLast,
  KerasLayers,
  KerasWriter,
  type KerasConfig,
  type KerasMapping,
} from "./keras-writer.js";

export interface KerasFormat {
  readonly title: string;
  readonly mappings: Readonly<Record<string, KerasMapping>>;
  /** Settings of an InputLayer; sizes begin with the open batch. */
  readonly input: (sizes: readonly (number | null)[]) => KerasConfig;
}

const OTHER_FORMATS = "`--to onnx` or `--to pytorch`";

/** Throws an ExportError for layers that the format cannot hold. */
export function kerasLayers(
  model: ExportModel,
  { title, mappings, input }: KerasFormat,
): KerasWriter {
  const writer = new KerasWriter();
  for (const { name, type } of model.network.inputs) {
    const shape = channelsLast(type.shape.slice(1).map(Number));
    const config = input([null, ...shape]);
    writer.values.set(name, {
      ref: writer.layer(name, "InputLayer", shape, { config, inputs: [] }),
    });
  }
  forEachLayer(model.network.layers, title, (layer) => {
    const call = new LayerCall(model, layer);
    // What reads a refused layer is not looked at: one message says it.
    if (call.inputs.some((name) => !writer.values.has(name))) return;
    const wide = [call.output, ...call.inputShapes].find(isWide);
    if (wide) throw new RefusedExport(`it has a value of ${wide.length} axes`, OTHER_FORMATS);
    const found = mappings[call.kind];
    if (!found) throw new RefusedExport(`netc writes no such layer for it`, OTHER_FORMATS);
    found(new KerasLayers(call, writer));
  });
  return writer;
}

export function channelsLastNote({ network }: ExportModel, title: string): readonly string[] {
  if (network.inputs.every(({ type }) => type.shape.length !== 4)) return [];
  return [`images come with channels last, as in ${title}: [N, height, width, channels]`];
}
