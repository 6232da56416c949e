import {
  biasOf,
  commonSettings,
  convTranspose as transposed,
  depthwiseKernel,
  hasStride,
  isDepthwise,
  isDilated,
  kernelOf,
  windowOf,
  withoutGroups,
} from "../channels-last/convolutions.js";
import type { KerasLayers } from "../channels-last/keras-writer.js";
import { isSame, padded } from "../channels-last/windows.js";
import { RefusedExport } from "../refusal.js";

export function conv(layers: KerasLayers): void {
  const { call } = layers;
  const window = windowOf(layers);
  if (hasStride(window) && isDilated(window)) {
    throw new RefusedExport("it has either strides or dilations", "`stride=1` or `dilation=1`");
  }
  const isItSame = isSame(call.image, window);
  const inputs = [isItSame ? layers.input() : padded(layers, window.padding)];
  const config = {
    kernel_size: window.kernel,
    strides: window.stride,
    dilation_rate: window.dilation,
    padding: isItSame ? "same" : "valid",
    ...commonSettings(layers),
  };
  if (!isDepthwise(layers)) {
    const weights = [kernelOf(withoutGroups(layers)), ...biasOf(layers)];
    const filters = call.number("out");
    return layers.end("Conv2D", { config: { filters, ...config }, inputs, weights });
  }
  if (isDilated(window)) {
    throw new RefusedExport("its convolutions of single channels have no dilations", "`--to onnx`");
  }
  const { multiplier, kernel } = depthwiseKernel(layers);
  layers.end("DepthwiseConv2D", {
    config: { depth_multiplier: multiplier, ...config },
    inputs,
    weights: [kernel, ...biasOf(layers)],
  });
}

export function convTranspose(layers: KerasLayers): void {
  if (Math.max(...layers.call.pair("dilation")) > 1) {
    throw new RefusedExport("its transposed convolutions have no dilations", "`--to onnx`");
  }
  transposed(layers);
}
