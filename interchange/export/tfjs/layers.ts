/** What each layer is in layers of TensorFlow.js, with channels last: one table. */
import { linear } from "../channels-last/convolutions.js";
import type { KerasLayers, KerasMapping } from "../channels-last/keras-writer.js";
import { sharedLayers } from "../channels-last/layers.js";
import { batchnorm } from "../channels-last/normalizations.js";
import { adaptiveAvgpool, avgpool, globalAvgpool, maxpool } from "../channels-last/pools.js";
import { LAST } from "../channels-last/windows.js";
import { RefusedExport } from "../refusal.js";
import { activations } from "./activations.js";
import { conv, convTranspose } from "./convolutions.js";
import { layernorm, scale } from "./normalizations.js";

const refused = (reason: string, instead?: string) => () => {
  throw new RefusedExport(reason, instead);
};

export const tfjsLayers: Readonly<Record<string, KerasMapping>> = {
  ...sharedLayers,
  ...activations,
  conv,
  conv_transpose: convTranspose,
  linear,

  maxpool: maxpool(
    refused(
      "its padding is not `same` of Keras, and zeros would exceed negative values",
      "`relu` before it, `--to onnx` or `--to keras`",
    ),
  ),
  avgpool: avgpool(
    refused("what it leaves out of a mean is not `same` of Keras", "`--to onnx` or `--to keras`"),
  ),
  adaptive_avgpool: adaptiveAvgpool(
    refused("its windows have different sizes", "`avgpool`, `--to onnx` or `--to keras`"),
  ),
  global_avgpool: globalAvgpool,
  upsample,

  lrn: refused("it has no layer for local response normalization", "`--to onnx` or `--to keras`"),
  batchnorm,
  groupnorm: refused("it has no layer for group normalization", "`--to onnx` or `--to keras`"),
  layernorm,
  scale,
};

function upsample(layers: KerasLayers): void {
  const { call } = layers;
  const mode = call.text("mode");
  if (mode !== "nearest") {
    throw new RefusedExport(`it places the pixels of a ${mode} image elsewhere`, "`mode=nearest`");
  }
  const { height, width } = call.image;
  const size = [Number(call.output[2]) / height, Number(call.output[3]) / width];
  if (!size.every(Number.isInteger)) {
    throw new RefusedExport("it repeats pixels by whole numbers", "a whole `scale`");
  }
  const config = { size, interpolation: "nearest", ...LAST };
  layers.end("UpSampling2D", { config, inputs: [layers.input()] });
}
