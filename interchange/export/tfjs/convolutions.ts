import {
  convolution,
  convTranspose as transposed,
  hasStride,
  isDepthwise,
  isDilated,
  windowOf,
} from "../channels-last/convolutions.js";
import type { KerasLayers } from "../channels-last/keras-writer.js";
import { RefusedExport } from "../refusal.js";

export function conv(layers: KerasLayers): void {
  const window = windowOf(layers);
  if (hasStride(window) && isDilated(window)) {
    throw new RefusedExport("it has either strides or dilations", "`stride=1` or `dilation=1`");
  }
  if (isDepthwise(layers) && isDilated(window)) {
    throw new RefusedExport("its convolutions of single channels have no dilations", "`--to onnx`");
  }
  const { className, call } = convolution(layers, window, { hasGroups: false });
  layers.end(className, call);
}

export function convTranspose(layers: KerasLayers): void {
  if (Math.max(...layers.call.pair("dilation")) > 1) {
    throw new RefusedExport("its transposed convolutions have no dilations", "`--to onnx`");
  }
  transposed(layers);
}
