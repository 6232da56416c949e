/** Layers that Keras and TensorFlow.js say alike. */
import type { KerasLayers, KerasMapping, TensorRef } from "./keras-writer.js";
import { RefusedExport } from "../refusal.js";
import { flatten, reshape } from "./shapes.js";
import { zeroPadding } from "./windows.js";

export const sharedLayers: Readonly<Record<string, KerasMapping>> = {
  pad: (layers) => {
    const config = zeroPadding(layers.call.padding("size"));
    layers.end("ZeroPadding2D", { config, inputs: [layers.input()] });
  },

  dropout: (layers) => {
    const { call } = layers;
    layers.end(call.isImage && call.flag("channels") ? "SpatialDropout2D" : "Dropout", {
      config: { rate: layers.call.number("rate") },
      inputs: [layers.input()],
    });
    layers.keepOrder();
  },
  // Keras has none.
  stochastic_depth: pass,
  identity: pass,
  flatten,
  reshape,

  add: join("Add"),
  multiply: join("Multiply"),
  concat: (layers) => {
    if (layers.call.inputs.length === 1) return pass(layers);
    layers.end("Concatenate", { config: { axis: -1 }, inputs: inputsOf(layers) });
  },

  let: () => {
    throw new RefusedExport(
      "it has layers only, and no formulas",
      "layers such as `silu`, `add` and `multiply`, or export to ONNX or PyTorch",
    );
  },
};

function pass(layers: KerasLayers): void {
  const { ref, order } = layers.value();
  layers.give(ref, order);
}

const inputsOf = (layers: KerasLayers): readonly TensorRef[] =>
  layers.call.inputs.map((_, index) => layers.input(index));

function join(className: string): KerasMapping {
  return (layers) => layers.end(className, { inputs: inputsOf(layers) });
}
