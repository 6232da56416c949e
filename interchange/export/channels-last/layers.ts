/** Layers that Keras and TensorFlow.js say alike. */
import { nameOfAxis } from "../../../compiler/layers/chosen-axes.js";
import type { KerasLayers, KerasMapping, TensorRef } from "./keras-writer.js";
import { RefusedExport } from "../refusal.js";
import { flatten, reshape } from "./shapes.js";
import { zeroPadding } from "./windows.js";

/** What can say everything. */
const GRAPHS = "`--to onnx` or `--to pytorch`";

export const sharedLayers: Readonly<Record<string, KerasMapping>> = {
  pad: (layers) => {
    const [mode, value] = [layers.call.text("mode"), layers.call.number("value")];
    if (layers.call.has("axis")) throw new RefusedExport("its padding is along one axis", GRAPHS);
    if (mode !== "constant") throw new RefusedExport(`its padding has no mode \`${mode}\``, GRAPHS);
    if (value !== 0) throw new RefusedExport(`its padding is of zeros, not ${value}`, GRAPHS);
    const config = zeroPadding(layers.call.padding("size"));
    layers.end("ZeroPadding2D", { config, inputs: [layers.input()] });
  },

  dropout: (layers) => {
    const { call } = layers;
    const { shape } = layers.input();
    dropping(layers, call.flag("channels") && call.isImage ? [null, 1, 1, shape.at(-1)!] : null);
  },
  stochastic_depth: (layers) => dropping(layers, [null, ...layers.input().shape.map(() => 1)]),
  identity: pass,
  stop: pass,
  flatten,
  reshape,

  add: join("Add"),
  multiply: join("Multiply"),
  concat: (layers) => {
    if (layers.call.inputs.length === 1) return pass(layers);
    const axis = nameOfAxis(layers.call.axis("axis"), layers.call.shape)!;
    if (axis !== "channels") throw new RefusedExport(`netc joins ${axis} in graphs alone`, GRAPHS);
    layers.end("Concatenate", { config: { axis: -1 }, inputs: inputsOf(layers) });
  },

  let: () => {
    throw new RefusedExport(
      "it has layers only, and no formulas",
      "layers such as `silu`, `add` and `multiply`, or export to ONNX or PyTorch",
    );
  },
};

/**
 * Along axes of 1, all numbers are dropped together. SpatialDropout2D would be the same for
 * channels: Keras cannot read it with its settings as netc writes them, TensorFlow.js has none.
 */
function dropping(layers: KerasLayers, noise_shape: readonly (number | null)[] | null): void {
  const rate = layers.call.number("rate");
  const config = noise_shape ? { rate, noise_shape } : { rate };
  layers.end("Dropout", { config, inputs: [layers.input()] });
  layers.keepOrder();
}

function pass(layers: KerasLayers): void {
  const { ref, order } = layers.value();
  layers.give(ref, order);
}

const inputsOf = (layers: KerasLayers): readonly TensorRef[] =>
  layers.call.inputs.map((_, index) => layers.input(index));

function join(className: string): KerasMapping {
  return (layers) => layers.end(className, { inputs: inputsOf(layers) });
}
