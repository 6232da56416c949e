import {
  convolution,
  convTranspose as transposed,
  hasStride,
  isDilated,
  windowOf,
} from "../channels-last/convolutions.js";
import type { KerasLayers } from "../channels-last/keras-writer.js";
import { poolSettings } from "../channels-last/pools.js";
import { paddedShape, type KerasWindow } from "../channels-last/windows.js";
import { RefusedExport } from "../refusal.js";

const GROUPS = { hasGroups: true };

export function conv(layers: KerasLayers): void {
  const window = windowOf(layers);
  if (hasStride(window) && isDilated(window)) return dilatedWithStride(layers, window);
  const { className, call } = convolution(layers, window, GROUPS);
  layers.end(className, call);
}

/** Keras has either strides or dilations: a pool of single pixels takes the strides. */
function dilatedWithStride(layers: KerasLayers, window: KerasWindow): void {
  const { call } = layers;
  const dense: KerasWindow = { ...window, stride: [1, 1] };
  const { className, call: whole } = convolution(layers, dense, GROUPS);
  const name = `${call.layer.weights}.whole`;
  const ref = layers.writer.layer(name, className, wholeShape(layers, window), whole);
  const config = { ...poolSettings([1, 1], window.stride), padding: "valid" };
  layers.end("MaxPooling2D", { config, inputs: [ref] });
}

function wholeShape({ call }: KerasLayers, { kernel, dilation, padding }: KerasWindow) {
  const { height, width } = call.image;
  const [rows, columns] = paddedShape([height, width], padding) as [number, number];
  const along = (size: number, axis: 0 | 1) => size - (kernel[axis] - 1) * dilation[axis];
  return [along(rows, 0), along(columns, 1), call.number("out")];
}

export function convTranspose(layers: KerasLayers): void {
  const window = { stride: layers.call.pair("stride"), dilation: layers.call.pair("dilation") };
  if (hasStride(window) && isDilated(window)) {
    throw new RefusedExport("it has either strides or dilations", "`stride=1` or `dilation=1`");
  }
  transposed(layers);
}
