import type { KerasLayers } from "../channels-last/keras-writer.js";
import { namedWeight } from "../channels-last/normalizations.js";
import { LAST } from "../channels-last/windows.js";
import { alongAxes } from "./einsum.js";

export const layernorm = (layers: KerasLayers) => normalization(layers, "LayerNormalization", {});

export function groupnorm(layers: KerasLayers): void {
  normalization(layers, "GroupNormalization", { groups: layers.call.number("groups") });
}

function normalization(
  layers: KerasLayers,
  className: string,
  settings: { readonly groups?: number },
): void {
  const { call } = layers;
  const affine = call.flag("affine");
  const config = { axis: -1, epsilon: call.number("eps"), center: affine, scale: affine };
  const weights = affine
    ? [namedWeight("gamma", call.tensor("weight")), namedWeight("beta", call.tensor("bias"))]
    : [];
  layers.end(className, { config: { ...settings, ...config }, inputs: [layers.input()], weights });
}

/** A kernel of one pixel for each channel, or a product for each feature. */
export function scale(layers: KerasLayers): void {
  const { call } = layers;
  const { values } = call.tensor("weight");
  const hasBias = call.flag("bias");
  const bias = hasBias ? [namedWeight("bias", call.tensor("bias"))] : [];
  const inputs = [layers.input()];
  if (!call.isImage) {
    const kernel = { name: "kernel", shape: [values.length], values };
    const config = alongAxes("nc,c->nc", layers.shape, { biasAxes: hasBias ? "c" : undefined });
    return layers.end("EinsumDense", { config, inputs, weights: [kernel, ...bias] });
  }
  const kernel = { name: "depthwise_kernel", shape: [1, 1, values.length, 1], values };
  layers.end("DepthwiseConv2D", {
    config: {
      kernel_size: [1, 1],
      strides: [1, 1],
      depth_multiplier: 1,
      padding: "valid",
      use_bias: hasBias,
      activation: "linear",
      ...LAST,
    },
    inputs,
    weights: [kernel, ...bias],
  });
}

/** `x * (k + alpha * sum of squares over a window of channels) ^ -beta` */
export function lrn(layers: KerasLayers): void {
  const { call } = layers;
  const x = layers.input();
  const { channels } = call.image;
  const squares = layers.part("squares", "Multiply", x.shape, { inputs: [x, x] });
  const config = alongAxes("nhwc,cd->nhwd", x.shape, { biasAxes: "d" });
  const sums = layers.part("sums", "EinsumDense", x.shape, {
    config,
    inputs: [squares],
    weights: [
      { name: "kernel", shape: [channels, channels], values: windowsOfChannels(layers) },
      {
        name: "bias",
        shape: [channels],
        values: new Float32Array(channels).fill(call.number("k")),
      },
    ],
    isConstant: true,
  });
  const factor = layers.part("factor", "Power", x.shape, {
    inputs: [sums],
    arguments: { positional: [-call.number("beta")] },
  });
  layers.end("Multiply", { inputs: [x, factor] });
}

/** `[channels, channels]`: what the square of one counts for another. */
function windowsOfChannels({ call }: KerasLayers): Float32Array {
  const { channels } = call.image;
  const size = call.number("size");
  const share = call.number("alpha") / (call.text("divide") === "size" ? size : 1);
  const before = Math.floor(size / 2);
  const matrix = new Float32Array(channels * channels);
  for (let channel = 0; channel < channels; channel++) {
    const first = Math.max(0, channel - before);
    const end = Math.min(channels, channel - before + size);
    for (let other = first; other < end; other++) matrix[other * channels + channel] = share;
  }
  return matrix;
}
