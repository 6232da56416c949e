/** What each layer is in layers of TensorFlow.js, with channels last: one table. */
import { RefusedExport } from "../refusal.js";
import { activations } from "./activations.js";
import { conv, convTranspose, linear } from "./convolutions.js";
import type { KerasLayers } from "./keras-writer.js";
import { flatten, reshape } from "./shapes.js";
import { batchnorm, layernorm, scale } from "./normalizations.js";
import { adaptiveAvgpool, avgpool, globalAvgpool, maxpool } from "./pools.js";

/** Writes the layers of one layer of the spec. */
export type TfjsLayer = (layers: KerasLayers) => void;

const refused =
  (reason: string, instead?: string): TfjsLayer =>
  () => {
    throw new RefusedExport(reason, instead);
  };

export const tfjsLayers: Readonly<Record<string, TfjsLayer>> = {
  ...activations,
  conv,
  conv_transpose: convTranspose,
  linear,

  maxpool,
  avgpool,
  adaptive_avgpool: adaptiveAvgpool,
  global_avgpool: globalAvgpool,
  upsample,
  pad,

  lrn: refused("it has no layer for local response normalization", "`--to onnx`"),
  batchnorm,
  groupnorm: refused("it has no layer for group normalization", "`--to onnx`"),
  layernorm,
  scale,

  dropout: (layers) => {
    const { order } = layers.value();
    layers.end("Dropout", { rate: layers.call.number("rate") }, [layers.input()]);
    layers.give([layers.call.name, 0, 0], order);
  },
  identity: pass,
  flatten,
  reshape,

  add: join("Add"),
  multiply: join("Multiply"),
  concat: (layers) => {
    if (layers.call.inputs.length === 1) return pass(layers);
    layers.end("Concatenate", { axis: -1 }, inputsOf(layers));
  },
};

function pass(layers: KerasLayers): void {
  const { ref, order } = layers.value();
  layers.give(ref, order);
}

const inputsOf = (layers: KerasLayers) => layers.call.inputs.map((_, index) => layers.input(index));

function join(className: string): TfjsLayer {
  return (layers) => layers.end(className, {}, inputsOf(layers));
}

function pad(layers: KerasLayers): void {
  const { top, bottom, left, right } = layers.call.padding("size");
  const config = {
    padding: [
      [top, bottom],
      [left, right],
    ],
  };
  layers.end("ZeroPadding2D", { ...config, ...LAST }, [layers.input()]);
}

const LAST = { data_format: "channels_last" };

function upsample(layers: KerasLayers): void {
  const { call } = layers;
  if (call.text("mode") === "bilinear") {
    throw new RefusedExport("it places the pixels of a bilinear image elsewhere", "`mode=nearest`");
  }
  const { height, width } = call.image;
  const size = [Number(call.output[2]) / height, Number(call.output[3]) / width];
  if (!size.every(Number.isInteger)) {
    throw new RefusedExport("it repeats pixels by whole numbers", "a whole `scale`");
  }
  const config = { size, interpolation: "nearest", ...LAST };
  layers.end("UpSampling2D", config, [layers.input()]);
}
